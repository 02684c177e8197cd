// SPDX-License-Identifier: Apache-2.0
// The report in a real browser. The scripts run under the page's own policy, from a file, without a network.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { histogramOf } from '../../harness/core/histogram.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { readRun } from '../../harness/store/run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured } from '../../harness/store/sample-records.ts';
import { reportHtml } from './report.ts';
import { aboutOne } from './report-input.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
const EVIL = '</script><script>document.title="taken"</script><img src=x onerror="document.title=\'taken\'">';
const REFERENCE = join(import.meta.dirname, '../../results/reference/quickstart-20261201-174842');

const scratch = mkdtempSync(join(tmpdir(), 'pmvx-report-'));
test.after.always(() => rmSync(scratch, { recursive: true, force: true }));

/** A run with failures whose reasons, policies and variants are what a hostile guest would say. */
function hostile() {
  const histogram = histogramOf([1, 2, 3, 50].map((value) => [value, 5] as const));
  const records = ['eevdf', 'scx_a', EVIL].flatMap((policy, p) =>
    [0, 1, 2].map((block): TrialRecord => {
      const facts = { trial: `00${p}${block}`, policy, block, variant: `a=${EVIL}` };
      if (policy === EVIL && block > 0) return sampleUnmeasured({ ...facts, reason: `panic: ${EVIL}` });
      const value = 1 + p / 2 + block / 1000;
      const metrics = [
        { name: 'p99', unit: 'us', direction: 'lower', primary: true, value, histogram } as const,
      ];
      return sampleCompleted({ ...facts, metrics });
    }),
  );
  return { ...sampleDescription(records), records, folder: 'results/runs/sample', notices: [EVIL] };
}

interface Opened {
  readonly page: Page;
  /** What the console said, and what the page asked the network for. */
  readonly noise: string[];
}

/** The browser ends with the test, also with one that fails. */
async function open(t: ExecutionContext, html: string, width: number): Promise<Opened> {
  const path = join(mkdtempSync(join(scratch, 'page-')), 'report.html');
  writeFileSync(path, html);
  const context: BrowserContext = await chromium.launchPersistentContext(
    mkdtempSync(join(scratch, 'user-')),
    {
      ...{ executablePath: CHROMIUM, headless: true, args: [...ARGS, ...QUIET] },
      viewport: { width, height: 900 },
      timeout: 600_000,
    },
  );
  t.teardown(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const noise: string[] = [];
  page.on('console', (message) => noise.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('request', (request) => {
    if (!/^(?:file|data):/.test(request.url())) noise.push(request.url());
  });
  await page.goto(pathToFileURL(path).href);
  await page.locator('body[data-charts=drawn]').waitFor();
  return { page, noise };
}

test.before(() => {
  if (!existsSync(CHROMIUM))
    throw new Error(`${CHROMIUM} is absent: apt-get install --no-install-recommends chromium`);
});

test.serial('in a browser every chart is drawn, and the console is silent', async (t) => {
  const run = await readRun(REFERENCE);
  const { page, noise } = await open(t, await reportHtml(aboutOne({ ...run, folder: 'reference' })), 1200);
  const marks = await page
    .locator('.chart')
    .evaluateAll((boxes) =>
      boxes.map(
        (box) => box.querySelectorAll('svg [class*=role-mark] path, svg [class*=role-mark] text').length,
      ),
    );
  t.true(marks.length >= 6);
  t.true(
    marks.every((count) => count > 3),
    marks.join(' '),
  );
  t.deepEqual(noise, []);
  const tip = page.locator('#tip');
  t.true(await tip.isHidden());
  await page.locator('.mark-symbol path').first().hover();
  t.regex((await tip.textContent()) ?? '', /^policyeevdf \(A\/A\)verdict/);
});

test.serial('columns sort by a click and by the keyboard, missing values last', async (t) => {
  const run = await readRun(REFERENCE);
  const { page } = await open(t, await reportHtml(aboutOne({ ...run, folder: 'reference' })), 1200);
  const table = page.locator('table.sortable').first();
  const names = () => table.locator('tbody th').allTextContents();
  const before = await names();
  await table.getByRole('button', { name: 'median' }).click();
  const up = ['scx_simple', 'eevdf', 'eevdf (A/A)', 'scx_central', 'scx_cpu0'];
  t.deepEqual(await names(), up);
  t.is(await table.locator('th[aria-sort=ascending]').textContent(), 'median');
  await page.keyboard.press('Enter');
  t.deepEqual(await names(), up.toReversed());
  await table.getByRole('button', { name: '95 % interval' }).focus();
  await page.keyboard.press('Space');
  t.is((await names()).at(-1), 'eevdf');
  t.deepEqual((await names()).toSorted(), before.toSorted());
});

test.serial(
  'at the width of a phone the page does not scroll sideways; charts and tables do in their boxes',
  async (t) => {
    const { page } = await open(t, await reportHtml(aboutOne(hostile())), 390);
    t.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]), [390, 390]);
    const outside = await page
      .locator('main *')
      .evaluateAll(
        (all) =>
          all.filter(
            (one) => one.closest('.scroll') === null && one.getBoundingClientRect().right > innerWidth,
          ).length,
      );
    t.is(outside, 0);
    await page.setViewportSize({ width: 1000, height: 900 });
    t.is(await page.evaluate(() => document.documentElement.scrollWidth), 1000);
  },
);

test.serial('what a guest said is text and nothing else', async (t) => {
  const { page, noise } = await open(t, await reportHtml(aboutOne(hostile())), 1200);
  t.is(await page.title(), 'sample \u00b7 pMVX report');
  t.is(await page.locator('img').count(), 0);
  t.is(await page.locator('script:not([type])').count(), 2);
  t.true((await page.locator('body').textContent())?.includes(`panic: ${EVIL}`));
  t.deepEqual(noise, []);
});

test.serial('it prints to pages that are not empty, folded lists opened', async (t) => {
  const { page } = await open(t, await reportHtml(aboutOne(hostile())), 1200);
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  const pages = Number(/\/Count (\d+)/.exec(pdf)?.[1]);
  t.true(pages >= 2 && pages <= 12, `${pages}`);
  t.is(pdf.match(/\/Type ?\/Page\b/g)?.length, pages);
  t.is(await page.locator('details:not([open])').count(), 0);
});

test('equal records give an equal page, which loads nothing and lets only its own scripts run', async (t) => {
  const [one, other] = await Promise.all([reportHtml(aboutOne(hostile())), reportHtml(aboutOne(hostile()))]);
  t.is(one, other);
  t.false(/<(?:link|script|img|iframe)[^>]*\s(?:src|href)="(?!data:|#)/.test(one));
  t.regex(one, /default-src 'none'.*script-src 'sha256-/);
});

test('a run of failures only, and one in progress, have their page', async (t) => {
  const { records, ...rest } = hostile();
  const none = records.filter(({ state }) => state !== 'completed');
  const page = await reportHtml(aboutOne({ ...rest, records: none }));
  t.true(page.includes('The run is not finished: 7 of 9 planned trials are not recorded.'));
  t.true(page.includes('no metric was measured'));
  t.true((await reportHtml(aboutOne({ ...rest, records: [] }))).includes('No trial is recorded.'));
});
