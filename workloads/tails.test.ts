// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';

// How scripts in the guest reduce what a program printed; the programs themselves run in virtual machines.

interface Reduced {
  readonly status: number | undefined;
  readonly out: string[];
  readonly err: string;
}

/** Runs the part of a workload's script from a line on, with the program's output in the file that it would be in. */
async function reduce(
  t: ExecutionContext,
  workload: string,
  from: RegExp,
  program: string,
  args: readonly (string | number)[],
): Promise<Reduced> {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-tails-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const whole = readFileSync(join(import.meta.dirname, workload, 'guest/run.sh'), 'utf8');
  const at = from.exec(whole)?.index;
  if (at === undefined) throw new Error(`${workload}: nothing matches ${from}`);
  const script = join(folder, 'reduce.sh');
  writeFileSync(script, `set -eu\n${whole.slice(at).replaceAll('/tmp/', `${folder}/`)}`);
  writeFileSync(join(folder, `${workload.replace('-load', '')}.out`), program);
  const run = await execa('/bin/sh', [script, ...args.map(String)], { reject: false });
  return { status: run.exitCode, out: run.stdout.split('\n'), err: run.stderr };
}

/** What cyclictest prints of one thread: a histogram up to 20 ms, and each wake-up from there on that it had room to note. */
function cyclictest(late: readonly number[], nodes = late.length): string {
  const counts = new Map<number, number>();
  for (const us of late.filter((value) => value < 20_000)) counts.set(us, (counts.get(us) ?? 0) + 1);
  const beyond = late.filter((value) => value >= 20_000);
  const six = (count: number): string => String(count).padStart(6, '0');
  return [
    '# /dev/cpu_dma_latency set to 0us',
    ...beyond.slice(0, nodes).map((us) => `T: 0 Spike:${String(us).padStart(8)}: TS:    953275003`),
    `spikes = ${beyond.length}`,
    '# Histogram',
    ...[...counts].sort(([a], [b]) => a - b).map(([us, n]) => `${six(us)} ${six(n)}\t${six(n)}`),
    `# Total: ${six(late.length - beyond.length)} ${six(late.length - beyond.length)}`,
    `# Max Latencies: ${Math.max(...late)} ${Math.max(...late)}`,
    `# Histogram Overflows: ${six(beyond.length)} ${six(beyond.length)}`,
    '# Histogram Overflow at cycle number:',
    '',
  ].join('\n');
}

const wakeUps = (t: ExecutionContext, program: string, loops = 100): Promise<Reduced> =>
  reduce(t, 'cyclictest-load', /^awk -v threads/m, program, [1, 1, loops, 6]);
const HUNDRED = [...Array<number>(97).fill(30), 25_000, 25_000, 400_000];

test('cyclictest-load: a percentile beyond the histogram is that of the wake-ups, not the maximum', async (t) => {
  const { status, out } = await wakeUps(t, cyclictest(HUNDRED));
  t.is(status, 0);
  t.deepEqual(out.slice(0, 3), ['late_p99 25000 us', 'late_max 400000 us', 'late_hist 30 97']);
  t.is(out.at(-1), 'late_beyond 20000 0');
  const sum = out.flatMap((line) => /^late_hist \d+ (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  t.is(
    sum.reduce((a, b) => a + b),
    100,
  );
});

test('cyclictest-load: the last microsecond of the histogram and the first beyond it are told apart', async (t) => {
  const { out } = await wakeUps(t, cyclictest([...Array<number>(98).fill(30), 19_999, 20_000]));
  t.is(out[0], 'late_p99 19999 us');
  t.is(out[1], 'late_max 20000 us');
});

test('cyclictest-load: a rank among wake-ups that were counted and not told fails with rank, bound and count', async (t) => {
  const { status, out, err } = await wakeUps(t, cyclictest(HUNDRED, 0));
  t.is(status, 1);
  t.deepEqual(out, ['']);
  t.is(
    err,
    'cyclictest-load: rank 99 of 100 lies in the overflow bucket, which holds 3 wake-ups of 20000 us or more that are not told',
  );
});

test('cyclictest-load: wake-ups that were not told are counted beyond when the rank does not need them', async (t) => {
  const late = [...Array<number>(999).fill(30), 400_000];
  const { status, out } = await wakeUps(t, cyclictest(late, 0), 1000);
  t.is(status, 0);
  t.deepEqual([out[0], out[1], out.at(-1)], ['late_p99 30 us', 'late_max 400000 us', 'late_beyond 20000 1']);
});

test('cyclictest-load: too few wake-ups, or a latest one that is not there, fail', async (t) => {
  const few = await wakeUps(t, cyclictest(HUNDRED), 101);
  t.is(few.err, 'cyclictest-load: 100 wake-ups are in the histogram, wanted 101 of one thread at least');
  const lost = await wakeUps(t, cyclictest(HUNDRED).replaceAll('400000 400000', '500000 500000'));
  t.is(lost.err, 'cyclictest-load: the latest wake-up told is 400000 us, the latest counted 500000 us');
});

/** What redis-benchmark prints of 1000 requests, of which some took longer than it can note. */
function redis(capped: number): string {
  return [
    `0.000% <= 0.095 milliseconds (cumulative count 1)`,
    `50.000% <= 0.311 milliseconds (cumulative count 500)`,
    `99.000% <= 0.951 milliseconds (cumulative count ${1000 - capped})`,
    ...(capped > 0 ? ['100.000% <= 3000.319 milliseconds (cumulative count 1000)'] : []),
    'Summary:',
    '  latency summary (msec):',
    '          avg       min       p50       p95       p99       max',
    `        0.311     0.095     0.311     0.903     ${capped > 10 ? '3000.319' : '0.951'}     ${capped > 0 ? '3000.319' : '0.951'}`,
    '',
  ].join('\n');
}

test('redis: the 3 s that redis-benchmark puts in place of longer times are no latency', async (t) => {
  const points = async (capped: number): Promise<string[]> =>
    (await reduce(t, 'redis', /^awk -v requests/m, redis(capped), [5, 'set', 1000, 20, 64])).out;
  t.is((await points(0)).at(-1), 'latency_beyond 3000 0');
  const out = await points(20);
  t.is(out.at(-1), 'latency_beyond 3000 20');
  t.false(out.some((line) => line.includes('3000.319')));
});

test('synth: rounds under way when every group has done its share are awaited', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-synth-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'synth');
  await execa('gcc', [
    '-std=c11',
    '-O2',
    '-pthread',
    '-o',
    program,
    join(import.meta.dirname, 'synth/synth.c'),
  ]);
  const profile = join(folder, 'three.profile');
  // The first of three to end its long round has done the share of all.
  writeFileSync(profile, 'pmvx-synth 1\ngroup tasks=3 run=400000000 rounds=1\n');
  const { stdout } = await execa(program, [profile, '--share-percent', '100', '--seed', '5'], {
    timeout: 60_000,
  });
  t.true(Number(/^rounds (\d+) count$/m.exec(stdout)?.[1]) >= 3, stdout);
});
