// SPDX-License-Identifier: Apache-2.0
// node harness/runtime/native-cost.ts [SECONDS]: what the daemon costs this machine at one window a second, as a dry run with its real probes.
// It is given as a table in Markdown. Needs root. CPU time is counted, so other work disturbs it little.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Decision, Status } from './contracts.ts';
import { Service } from './faults/service.ts';
import { sceneMap } from './mcp/scene.ts';
import { onlineCpus } from './sense/machine.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const WARM_UP_S = 20;
/** Some thousand switches and wake-ups a second. */
const LOAD = 'while :; do head -c 50000000 /dev/zero | gzip -1 | gzip -d | cat >/dev/null; done';
const CASES = [
  { name: 'nothing changes, probes rest', rest: '{}', load: false },
  { name: 'pipelines beside it, probes rest', rest: '{}', load: true },
  { name: 'pipelines beside it, a window each second', rest: '{ mostMs: 0 }', load: true },
];

const [seconds = '60'] = process.argv.slice(2);
if (!(Number(seconds) >= 5) || process.getuid?.() !== 0) {
  console.error('native-cost: give 5 seconds or more for each case, as root');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'pmvx-native-cost-'));
/** Process groups and processes that must not outlive this one. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) kill(pid);
  rmSync(scratch, { recursive: true, force: true });
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => process.exit(3));
const { map } = await sceneMap(scratch);

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

interface Cost {
  readonly share: number;
  readonly mib: number;
  readonly windows: number;
  readonly decidedMs: number | undefined;
}

async function costOf(each: (typeof CASES)[number], index: number): Promise<Cost> {
  const { rest, load } = each;
  const folder = join(scratch, String(index));
  mkdirSync(folder);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('config.yaml'), `windowMs: 1000\nrest: ${rest}\n`);
  const busy: ChildProcess | undefined = load
    ? spawn('/bin/sh', ['-c', LOAD], { detached: true, stdio: 'ignore' })
    : undefined;
  const argv = [
    ...[process.execPath, join(ROOT, 'harness/cli.ts'), 'autotune', '--dry-run', '--map', map],
    ...['--config', at('config.yaml'), '--state', at('state'), '--journal', at('journal.jsonl')],
    ...['--socket', at('socket')],
  ];
  const group = busy?.pid === undefined ? undefined : -busy.pid;
  if (group !== undefined) running.add(group);
  const service = new Service({ argv, socket: at('socket'), log: at('log'), restartMs: 1000 });
  try {
    await service.ready(60_000);
    if (service.pid !== undefined) running.add(service.pid);
    await delay(1000 * WARM_UP_S);
    const before = await statusOf(service);
    const beganNs = process.hrtime.bigint();
    await delay(1000 * Number(seconds));
    const after = await statusOf(service);
    if (service.starts !== 1) throw new Error('the daemon ended in between');
    const passed = Number(process.hrtime.bigint() - beganNs) / 1e9;
    const decisions = readFileSync(at('journal.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Decision)
      .filter((line) => line.kind === 'decision' && line.monotonicNs > Number(beganNs));
    const decided = decisions.map(({ decidedMs }) => decidedMs).sort((a, b) => a - b);
    return {
      share: (after.cost.cpuSeconds - before.cost.cpuSeconds) / passed,
      mib: after.cost.rssBytes / 2 ** 20,
      windows: decisions.length,
      decidedMs: decided[decided.length >> 1],
    };
  } catch (error) {
    throw new Error(`${each.name}: ${(error as Error).message}\n${readFileSync(at('log'), 'utf8')}`);
  } finally {
    await service.stop();
    if (group !== undefined) kill(group);
    running.clear();
  }
}

async function statusOf(service: Service): Promise<Status> {
  const status = await service.ask('status', {});
  if (status === undefined) throw new Error(service.refusal ?? 'the daemon does not answer');
  return status;
}

console.log(
  `\`node harness/runtime/native-cost.ts ${seconds}\`, Linux ${release()}, ${onlineCpus()} CPUs.\n`,
);
console.log('| load | windows | of one CPU | resident, MiB | decision after a window, median ms |');
console.log('|:--|--:|--:|--:|--:|');
for (const [index, each] of CASES.entries()) {
  const { share, mib, windows, decidedMs } = await costOf(each, index);
  console.log(
    `| ${each.name} | ${windows} | ${(100 * share).toFixed(2)} % | ${mib.toFixed(0)} | ${decidedMs?.toFixed(2) ?? ''} |`,
  );
}
