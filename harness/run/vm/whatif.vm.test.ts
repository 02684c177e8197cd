// SPDX-License-Identifier: Apache-2.0
// Futures of one frozen machine: what each policy does from there, and where two of them part.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../core/load-catalog.ts';
import type { Seed } from '../../core/seed.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { defaultHostDeadlineMs } from '../../lab/vm-engine.ts';
import { askWhatIf } from '../../whatif/ask.ts';
import { findDivergence } from '../../whatif/diverge.ts';
import { type ForkingLab, forkWith } from '../../whatif/forking-lab.ts';
import type { Question } from '../../whatif/question.ts';
import { ROOT, smallMachine, stageImage } from './stage.ts';
import { withSlots } from './vm-slots.ts';

const scratch = await mkdtemp(join(tmpdir(), 'pmvx-whatif-vm-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const never = new AbortController().signal;

const QUESTION: Question = {
  image: 'quick',
  machine: smallMachine(2),
  workload: {
    workload: 'hackbench',
    variant: 'small',
    params: { transport: 'pipe', groups: 1, loops: 100, datasize: 100 },
  },
  point: '0.05s',
  policies: ['eevdf', 'scx_simple'],
  baseline: 'eevdf',
  states: [{ seed: 7 as Seed }],
};

let staged: ReturnType<typeof stageImage> | undefined;

/** A lab whose snapshots are this test's own, and whose machines wait for a slot each. */
async function lab(name: string): Promise<ForkingLab> {
  staged ??= stageImage();
  const image = await staged;
  const store = await openSnapshotStore(scratch, { limitBytes: 4 * 2 ** 30 });
  const fork = forkWith({ accelerator: 'exact', image, store, hostDeadlineMs: defaultHostDeadlineMs });
  return {
    fork: (request) => withSlots(1, () => fork(request)),
    catalog: await loadCatalog(resolve(ROOT)),
    consoles: join(scratch, name),
    jobs: 1,
  };
}

test.serial('both futures of a state complete, with a time after the fork point each', async (t) => {
  const [state] = (await askWhatIf(QUESTION, await lab('whatif'), never)).states;
  t.true(state?.snapshot?.made);
  t.true((state?.forkVirtualNs ?? 0) > 1e9, `${state?.forkVirtualNs}`);
  for (const { policy, state: end, reason, metrics, value, hostSeconds } of state?.futures ?? []) {
    t.is(end, 'completed', `${policy}: ${reason}`);
    t.is(metrics.find(({ primary }) => primary)?.name, 'time_after');
    t.true(value !== undefined && value > 0);
    t.true(hostSeconds > 0);
  }
  const [eevdf, simple] = state?.futures ?? [];
  t.is(eevdf?.ratio, 1);
  t.not(simple?.ratio, undefined);
  t.true((simple?.voluntarySwitches ?? 0) > 0);
  t.log(`ratio ${simple?.ratio?.toFixed(3)}, fork point at ${(state?.forkVirtualNs ?? 0) / 1e9} s`);
});

test.serial('two policies share every switch up to their choice, and part after it', async (t) => {
  const divergence = await findDivergence(QUESTION, await lab('diverge'), never);
  const { switches, forkVirtualNs = 0, sides, transcripts } = divergence;
  t.false(divergence.same);
  t.deepEqual(
    sides.map(({ state }) => state),
    ['completed', 'completed'],
  );
  for (const event of [...switches.lastCommon, switches.first?.left, switches.first?.right]) {
    t.true((event?.virtualNs ?? 0) >= forkVirtualNs, 'nothing is traced before the fork point');
  }
  // Loading a scheduler takes more than a second; letting one go that is loaded takes some milliseconds.
  const parted = ((switches.first?.left?.virtualNs ?? 0) - forkVirtualNs) / 1e6;
  t.true(parted < 50, `${parted} ms`);
  t.deepEqual(switches.left.byVcpu.length, 2);
  t.is(switches.left.commands[0]?.comm, 'hackbench');
  t.is(switches.left.unreadable + switches.right.unreadable, 0);
  t.is(transcripts.first?.left?.kind, 'attached');
  t.log(`parted ${parted} ms after the fork point, after ${switches.common} common switches`);
});

test.serial('two forks of one policy have the same switches and say the same', async (t) => {
  const question = { ...QUESTION, policies: ['scx_simple', 'scx_simple'] };
  const { same, switches, transcripts, sides } = await findDivergence(question, await lab('twins'), never);
  t.deepEqual(
    sides.map(({ state }) => state),
    ['completed', 'completed'],
  );
  t.true(same);
  t.is(switches.first, undefined);
  t.true(switches.common > 100, `${switches.common}`);
  t.deepEqual(switches.left, switches.right);
  t.true(transcripts.same);
});
