// SPDX-License-Identifier: Apache-2.0
// The daemon in a guest: real schedulers, taken into effect, away and betrayed, with the kernel's word for each. Times are virtual.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FEATURES, FEATURES_VERSION } from '../../../analysis/features/definition.ts';
import { openMap } from '../../../analysis/policy-map/open-map.ts';
import { GUEST_RUNTIME } from '../../core/runtime-parts.ts';
import { deriveSeed } from '../../core/seed.ts';
import type { Orders } from '../../lab/engine.ts';
import { DAEMON_ENTRY, packDaemon } from '../../replay/guest-code.ts';
import type { SwitchReport } from '../../runtime/contracts.ts';
import { type Step, stepsOf } from '../../runtime/faults/guest/report.ts';
import { labEngine, ROOT, smallMachine } from './stage.ts';

const POLICIES = ['pmvx_chain', 'pmvx_latency', 'scx_simple', 'scx_flatcg', 'eevdf-slice-long'];
const MADE_UP = ['made-up-stall', 'made-up-error'];
const BOOT = '/run/boot.mjs';
const CODE = '/run/code.json';
const MAP = '/run/map.db';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-autotune-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** Runs a program of harness/runtime/faults/guest beside the daemon; what it told. */
async function inGuest(program: string, args: readonly string[], deadlineMs: number): Promise<Step[]> {
  const map = join(scratch, `${program}.db`);
  await (await openMap(map, { features: FEATURES_VERSION, dimensions: FEATURES.length })).close();
  const entry = `harness/runtime/faults/guest/${program}.ts`;
  const code = packDaemon(ROOT, POLICIES, { madeUp: MADE_UP, missingProbes: [] }, [DAEMON_ENTRY, entry]);
  const builtin = { kind: 'builtin', summary: 's', suits: 's', weakness: 's', source: 's' } as const;
  const orders: Orders = {
    trial: program,
    seed: deriveSeed(9, 0),
    policy: { id: 'eevdf', definition: builtin },
    candidates: [],
    files: [
      { path: BOOT, content: await readFile(join(ROOT, 'harness/replay/guest/boot.mjs')) },
      { path: CODE, content: Buffer.from(code) },
      { path: MAP, content: await readFile(map) },
    ],
    run: [`${GUEST_RUNTIME}/bin/node`, BOOT, CODE, entry, BOOT, CODE, DAEMON_ENTRY, MAP, ...args],
    deadlineMs,
  };
  const folder = join(scratch, program);
  const engine = labEngine('exact', undefined, 'runtime');
  const outcome = await engine.runTrial(orders, smallMachine(2), folder, new AbortController().signal);
  const text = (kind: string) =>
    outcome.frames.flatMap((each) => (each.kind === kind ? [each.payload.toString('utf8')] : [])).join('');
  const output = text('output');
  const { exit } = JSON.parse(text('result') || '{}') as { exit?: number };
  if (exit !== 0)
    throw new Error(
      `${program} ended with ${exit}:\n${output}\n${text('error')}\n${text('klog').slice(-4000)}`,
    );
  return stepsOf(output);
}

let told: Promise<Step[]> | undefined;
/** The steps of actuation.ts, which lives once for all tests. */
async function step<T>(name: string): Promise<T> {
  told ??= inGuest('actuation', [], 600_000);
  const found = (await told).find((each) => each.step === name);
  if (found === undefined)
    throw new Error(`no step ${name}: ${(await told).map((each) => each.step).join(', ')}`);
  if (found.ok === false) throw new Error(`${name}: ${found.error}`);
  return found as unknown as T;
}

interface Applied {
  readonly report: SwitchReport;
  readonly kernel: { readonly state: string; readonly ops?: string; readonly enableSeq: number };
  readonly policy: string;
  readonly slice: string;
  readonly sliceBefore: string;
}

const OPS = {
  pmvx_chain: 'pmvx_chain',
  pmvx_latency: 'pmvx_latency',
  scx_simple: 'simple',
  scx_flatcg: 'flatcg',
};

for (const [policy, ops] of Object.entries(OPS)) {
  test(`${policy} takes effect, as the kernel says`, async (t) => {
    const { report, kernel, policy: now } = await step<Applied>(`apply ${policy}`);
    t.like(report, { to: policy, outcome: 'active' });
    t.like(kernel, { state: 'enabled', ops });
    t.is(now, policy);
    t.log(report);
  });
}

test('a setting takes effect, and is put back', async (t) => {
  const { report, kernel, slice, sliceBefore } = await step<Applied>('apply eevdf-slice-long');
  t.like(report, { outcome: 'active' });
  t.is(kernel.state, 'disabled');
  t.not(slice, sliceBefore);
  const home = await step<Applied>('apply eevdf');
  t.is(home.slice, sliceBefore);
  t.is(home.kernel.state, 'disabled');
});
