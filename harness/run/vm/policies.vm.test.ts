// SPDX-License-Identifier: Apache-2.0
// Every policy that ships, on a real machine: attached and proven, or refused with words; never something else.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { heldProgram, isNamed } from '../../core/held-program.ts';
import { loadCatalog } from '../../core/load-catalog.ts';
import { defaultParameters } from '../../core/parameters.ts';
import type { Policy } from '../../core/policy.ts';
import type { Workload } from '../../core/workload.ts';
import { heldBy } from './combinations.ts';
import { labEngine, ROOT, runOne, smallMachine, type TrialEnd } from './stage.ts';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-policies-'));
const { policies, workloads } = heldBy(await loadCatalog(ROOT), 'quick');
const hackbench = workloads.get('hackbench') as Workload;
test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** Those that attach on every kernel that this image has had; the others use features that a verifier may refuse. */
const ATTACH = ['eevdf', 'scx_simple', 'scx_simple-fifo', 'scx_flatcg', 'scx_central', 'scx_cpu0'];

function trialOf(policy: Policy): Promise<TrialEnd> {
  return runOne({
    engine: labEngine('exact'),
    machine: smallMachine(4),
    policy,
    workload: hackbench,
    params: { ...defaultParameters(hackbench.definition), loops: 5 },
    consoles: join(scratch, policy.id),
  });
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
      t.regex(record.reason, /^the verifier refused \w+: \w+.*; scheduler process exited with status \d+/);
      t.true(record.detail?.includes(/: (.*); /.exec(record.reason)?.[1] ?? '?'), 'its words are kept');
      return;
    }
    if (record.state !== 'completed') return t.fail(JSON.stringify(record, null, 1));
    const ops = heldProgram(policy)?.ops;
    for (const { ops: found } of [record.schedBefore ?? {}, record.schedAfter ?? {}])
      t.true(ops === undefined ? found === undefined : isNamed(ops, found), found);
    t.deepEqual(
      record.metrics.map(({ name }) => name),
      ['time'],
    );
    t.true((record.metrics[0]?.value ?? 0) > 0);
    t.log(`${record.metrics[0]?.value} s`);
  });
}
