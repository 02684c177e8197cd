// SPDX-License-Identifier: Apache-2.0
// The agents' interface with nothing made up: a real kernel in a guest, and real forks on this host.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { guestOrders } from '../../replay/guest-program.ts';
import { type Step, stepsOf } from '../../runtime/faults/guest/report.ts';
import { openAgent } from '../../runtime/mcp/client-scene.ts';
import { sceneMap } from '../../runtime/mcp/scene.ts';
import { ROOT, runInGuest, stageImage } from './stage.ts';
import { withSlots } from './vm-slots.ts';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-mcp-vm-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** What the SDK's client and server, and the command line, import beyond what the daemon does. */
const PACKAGES = [
  ...['@modelcontextprotocol/sdk', 'ajv', 'ajv-formats', 'commander', 'cross-spawn', 'fast-deep-equal'],
  ...['fast-uri', 'isexe', 'json-schema-traverse', 'path-key', 'shebang-command', 'shebang-regex', 'which'],
  'zod-to-json-schema',
];

test('in a guest an agent goes from "requests are late" to a policy that is applied and verified, and back', async (t) => {
  const { map } = await sceneMap(scratch);
  const orders = await guestOrders(ROOT, {
    entry: 'harness/runtime/mcp/guest/agent.ts',
    policies: ['pmvx_batch', 'pmvx_chain', 'pmvx_latency'],
    beside: ['harness/cli.ts'],
    packages: PACKAGES,
    map,
    deadlineMs: 300_000,
  });
  const steps = stepsOf(await runInGuest(orders, 4, join(scratch, 'agent')));
  const step = <T>(name: string) => steps.find((each) => each.step === name) as unknown as T & Step;
  const { late: before } = step<{ late: { us: number } }>('slow');
  const { policy } = step<{ policy: string }>('advised');
  t.like(step('proposed'), { allowed: true });
  t.like(step('applied'), { done: true, to: policy, kernel: { state: 'enabled', ops: policy } });
  const verified = step<{ late: { us: number } }>('verified');
  t.like(verified, { observed: { policy }, kernel: { state: 'enabled', ops: policy } });
  t.log(`${policy}: late by ${before.us} us before, ${verified.late.us} us after`);
  t.true(verified.late.us < before.us / 2, 'the load itself says that it is better');
  t.like(step('rolled back'), { done: true, to: 'eevdf', kernel: { state: 'disabled' } });
});

test('what_if forks a real machine for each policy, and tells how far it is', async (t) => {
  await stageImage();
  const agent = await openAgent([], process.env as Record<string, string>);
  t.teardown(() => agent.close());
  const told: string[] = [];
  const answer = (await withSlots(1, () =>
    agent.watch(
      'what_if',
      { workload: 'hackbench:groups=1,loops=60', policies: ['pmvx_chain'], at: 'quiescent', vcpus: 2 },
      { onprogress: ({ progress, total, message }) => told.push(`${progress}/${total} ${message}`) },
    ),
  )) as { policies: { policy: string; completed: number; median?: number; ratio?: { ratio: number } }[] };
  const [eevdf, chain] = answer.policies;
  t.like(eevdf, { policy: 'eevdf', completed: 1 });
  t.like(chain, { policy: 'pmvx_chain', completed: 1 });
  t.true(Math.abs((chain?.ratio?.ratio ?? 0) - (chain?.median ?? 0) / (eevdf?.median ?? 1)) < 1e-9);
  t.true((chain?.ratio?.ratio ?? 1) < 1, 'chains of messages are what it is for');
  t.is(told.at(-1)?.split(' ')[0], '2/2');
  t.log(told);
});
