// SPDX-License-Identifier: Apache-2.0
// Every policy that ships, on a real machine: attached and proven, or refused with words; never something else.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { heldProgram, isNamed } from '../../core/held-program.ts';
import { loadCatalog } from '../../core/load-catalog.ts';
import { defaultParameters } from '../../core/parameters.ts';
import { type Policy, PolicySchema } from '../../core/policy.ts';
import type { Workload } from '../../core/workload.ts';
import { heldBy } from './combinations.ts';
import { labEngine, ROOT, runOne, scriptWorkload, smallMachine, type TrialEnd } from './stage.ts';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-policies-'));
const { policies, workloads } = heldBy(await loadCatalog(ROOT), 'quick');
const hackbench = workloads.get('hackbench') as Workload;
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** Those that attach on every kernel that this image has had; the others use features that a verifier may refuse. */
const ATTACH = ['eevdf', 'scx_simple', 'scx_simple-fifo', 'scx_flatcg', 'scx_central', 'scx_cpu0'];

function trialOf(policy: Policy, workload = hackbench): Promise<TrialEnd> {
  const params = workload === hackbench ? { ...defaultParameters(hackbench.definition), loops: 5 } : {};
  const consoles = join(scratch, policy.id);
  return runOne({ engine: labEngine('exact'), machine: smallMachine(4), policy, workload, params, consoles });
}

const SLICE = '/sys/kernel/debug/sched/base_slice_ns';
const CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control';

/** Settings as this test wants them: pairs of path and value. */
function knobPolicy(id: string, settings: Readonly<Record<string, string>>, modules: string[] = []): Policy {
  const words = { summary: 's', suits: 's', weakness: 's', source: 's' };
  const list = Object.entries(settings).map(([path, value]) => ({ path, value }));
  const definition = { kind: 'knob', subsystem: 'sched', ...words, modules, settings: list };
  return { id, definition: PolicySchema.parse(definition) };
}

test('all policies of the image are here', (t) => {
  t.deepEqual(
    [...policies.keys()].filter((id) => ATTACH.includes(id)),
    ATTACH.toSorted(),
  );
});

for (const [id, policy] of policies) {
  const must = policy.definition.kind !== 'process' || ATTACH.includes(id);
  test(`${id} ${must ? 'completes a trial' : 'completes a trial or is refused with words'}`, async (t) => {
    const { record } = await trialOf(policy);
    if (record.state === 'refused' && !must) {
      t.log(`refused: ${record.reason}\n${record.detail}`);
      t.false('metrics' in record);
      t.is(record.output, undefined, 'the workload did not run');
      t.regex(
        record.reason,
        /^(?:\S+:\d+: )?\w+.* \(the verifier refused \w+\); scheduler process exited with status \d+/,
      );
      t.true(
        record.detail?.includes(/^(?:\S+:\d+: )?(.*) \(the verifier/.exec(record.reason)?.[1] ?? '?'),
        'its words are kept',
      );
      return;
    }
    if (record.state !== 'completed') return t.fail(JSON.stringify(record, null, 1));
    const ops = heldProgram(policy)?.ops;
    for (const { ops: found } of [record.schedBefore ?? {}, record.schedAfter ?? {}])
      t.true(ops === undefined ? found === undefined : isNamed(ops, found), found);
    if (policy.definition.kind === 'knob') {
      const read = record.schedAfter?.knobs ?? [];
      t.deepEqual(
        read.map(({ path, value }) => [path, value]),
        policy.definition.settings.map(({ path, value, reads = value }) => [path, reads]),
      );
      for (const { before, restored } of read) t.is(restored, before, 'what was there is there again');
      t.log(read.map(({ path, before, value }) => `${path}: ${before} -> ${value}`).join('\n'));
    }
    t.deepEqual(
      record.metrics.map(({ name }) => name),
      ['time'],
    );
    t.true((record.metrics[0]?.value ?? 0) > 0);
    t.log(`${record.metrics[0]?.value} s`);
  });
}

const reads = scriptWorkload('reads', `cat ${SLICE}; echo "Time: 1"`);

test('the workload runs under the setting', async (t) => {
  const { record } = await trialOf(knobPolicy('slice', { [SLICE]: '5000000' }), reads);
  t.is(record.state, 'completed', JSON.stringify(record));
  t.is(record.output, '5000000\nTime: 1\n');
});

test('a value that the kernel does not take is refused with its words, and nothing runs', async (t) => {
  const policy = knobPolicy('nonsense', { [SLICE]: '5000000', [CONGESTION]: 'nonsense' });
  const { record } = await trialOf(policy, reads);
  if (record.state !== 'refused') return t.fail(JSON.stringify(record));
  t.is(record.reason, `${CONGESTION} refused "nonsense": No such file or directory`);
  t.is(record.output, undefined);
  t.is(record.schedBefore, undefined);
});

test('a setting whose module does not load is refused with its name; the machine goes on to the end', async (t) => {
  const { record } = await trialOf(
    knobPolicy('no-module', { [SLICE]: '5000000' }, ['no_such_module a=1']),
    reads,
  );
  if (record.state !== 'refused') return t.fail(JSON.stringify(record));
  t.is(record.reason, 'module no_such_module a=1: modprobe ended with status 1');
  t.is(record.output, undefined);
});

test('a setting that somebody changes during the run ejects the policy', async (t) => {
  const workload = scriptWorkload('changes', `echo 3000000 > ${SLICE}; echo "Time: 1"`);
  const { record } = await trialOf(knobPolicy('changed', { [SLICE]: '5000000' }), workload);
  if (record.state !== 'ejected') return t.fail(JSON.stringify(record));
  t.is(record.reason, `after the run ${SLICE} reads "3000000", expected "5000000"`);
  t.is(record.schedBefore?.knobs?.[0]?.value, '5000000');
  t.false('metrics' in record);
});
