// SPDX-License-Identifier: Apache-2.0
// Runs in a guest: requests got late, and an agent without a person goes from there to a policy that is applied and verified. Probes, map,
// daemon and kernel are real; the daemon waits for a thousand windows before it acts by itself, so that the agent comes first.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import { tell } from '../../faults/guest/report.ts';
import { CONFIG, JOURNAL, MAP, SOCKET, startDaemon } from '../../faults/guest/stage.ts';
import { openAgent } from '../client-scene.ts';

interface Advice {
  readonly recommend: string;
  readonly abstained: boolean;
  readonly interval?: { readonly low: number; readonly high: number };
  readonly ranking: readonly { readonly policy: string; readonly high: number; readonly against?: string }[];
  readonly neighbours: readonly { readonly workload: string; readonly distance: number }[];
}

const POLICIES = ['pmvx_batch', 'pmvx_chain', 'pmvx_latency'];
const LOAD = ['/opt/pmvx/files/cyclictest-load/run.sh', '7', '4', '500', '6'];
const PATIENCE_MS = 60_000;

const [boot = '', archive = ''] = process.argv.slice(2);
const run = promisify(execFile);
let alive = true;
const late: { readonly us: number; readonly endedMs: number }[] = [];

/** The load's own word on how late its requests are, round after round. */
async function serve(): Promise<void> {
  while (alive) {
    const { stdout } = await run('/bin/sh', LOAD);
    const us = Number(/^late_p99 (\d+) us$/m.exec(stdout)?.[1]);
    late.push({ us, endedMs: performance.now() });
  }
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() - began > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await delay(100);
  }
}

const service = await startDaemon(POLICIES, {
  windowMs: 500,
  unguarded: false,
  machine: '{ engine: exact, cpu: "250 MIPS" }',
  windows: 1000,
});
const agent = await openAgent(
  ['--map', MAP, '--config', CONFIG, '--socket', SOCKET, '--journal', JOURNAL, '--allow-apply'],
  {},
  [boot, archive, 'harness/cli.ts'],
);
tell('tools', { names: (await agent.client.listTools()).tools.map(({ name }) => name) });
const serving = serve();

const before = await until('a first round', () => late[0]);
tell('slow', { late: before, observed: await agent.ask('observe') });

// The best of those that this machine has, and that nothing speaks against.
const { advice, policy, high } = await until('a recommendation that can be used here', async () => {
  const seen = await agent.ask<Advice>('recommend').catch(() => undefined);
  const best = seen?.ranking.find((each) => POLICIES.includes(each.policy) && each.against === undefined);
  return seen === undefined || best === undefined ? undefined : { advice: seen, ...best };
});
tell('advised', { policy, high, advice });
const [nearest] = advice.neighbours;
tell('evidence', await agent.ask('evidence', { policy, workload: nearest?.workload }));
const proposal = await agent.ask<{ id: string; allowed: boolean; because: string }>('propose', {
  policy,
  reason: `requests are late by ${before.us} us; the map expects at most ${high.toFixed(2)} of EEVDF's cost`,
});
tell('proposed', proposal);
tell('applied', { ...(await agent.ask('apply', { id: proposal.id })), kernel: readSchedExt() });
const appliedMs = performance.now();

// Verified by a round that began and ended under it, not by what was hoped for.
const after = await until('two rounds under the policy', () => {
  const since = late.filter(({ endedMs }) => endedMs > appliedMs);
  return since[1];
});
tell('verified', { late: after, observed: await agent.ask('observe'), kernel: readSchedExt() });
tell('rolled back', {
  ...(await agent.ask('rollback', { why: 'the test is over' })),
  kernel: readSchedExt(),
});
alive = false;
await serving;
await agent.close();
await service.stop();
tell('stopped', { kernel: readSchedExt() });
process.exit(0);
