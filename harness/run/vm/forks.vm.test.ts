// SPDX-License-Identifier: Apache-2.0
// What a fork is worth: it never differs from its twin, and never from a machine that went the whole way from power-on.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../core/load-catalog.ts';
import type { Seed } from '../../core/seed.ts';
import { shuffled } from '../../core/seed.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { onBusyHost } from './busy-host.ts';
import {
  type Combination,
  combinationsOf,
  covering,
  heldBy,
  live,
  nameOf,
  type Proof,
} from './combinations.ts';
import { ROOT, smallMachine, stageImage } from './stage.ts';
import { SLOTS, withSlots } from './vm-slots.ts';

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-forks-')));
const catalog = heldBy(await loadCatalog(ROOT), 'quick');
test.after.always(() => rm(scratch, { recursive: true, force: true }));

let opened: Promise<Proof> | undefined;
function stageProof(): Promise<Proof> {
  opened ??= openProof();
  return opened;
}

async function openProof(): Promise<Proof> {
  const signal = new AbortController().signal;
  const store = await openSnapshotStore(scratch, { limitBytes: 8 * 2 ** 30 });
  return { catalog, image: await stageImage(), store, machine: smallMachine(4), seed: 7, scratch, signal };
}

/** Drawn anew each time: over many runs of this test every combination has its turn. `fork-matrix.ts` tries all of them. */
const drawnWith = Number(process.env.PMVX_TEST_SEED ?? 1 + Math.floor(Math.random() * 2 ** 31));
const again = `again with PMVX_TEST_SEED=${drawnWith}`;
const all = combinationsOf(catalog, ['quiescent', 'warm']);

/** Two machines at the same time; equal to the last bit, whatever becomes of them; only a machine that dies is a fault. */
const twins = covering(all, drawnWith);

test.serial('two forks of one policy never diverge, whatever the policy and the workload', async (t) => {
  t.log(`${twins.length} of ${all.length} combinations; ${again}`);
  const proof = await stageProof();
  for (const each of twins) {
    const [one, other] = await withSlots(SLOTS, () =>
      Promise.all([live('fork', each, proof), live('fork', each, proof)]),
    );
    t.deepEqual(one, other, nameOf(each));
    t.not(one.state, 'crashed', `${nameOf(each)}: ${one.reason}`);
    if (one.state !== 'completed') t.log(`${nameOf(each)}: ${one.state}, ${one.reason}`);
  }
});

/**
 * On the busy host turns are long, so that a timer cuts off nearly every one of them: then a fork is its boot only if it goes on in the
 * same turn, with the same part of it left.
 */
const LONG_QUANTUM = 100_000;

const draws = shuffled(all, drawnWith as Seed);

for (const [at, host] of (['a quiet', 'a busy'] as const).entries()) {
  const drawn = draws[at] as Combination;
  test.serial(`a fork on ${host} host is the machine that was booted`, async (t) => {
    t.log(`${nameOf(drawn)}; ${again}`);
    const proof = await stageProof();
    const policies = new Map([...catalog.policies].filter(([id]) => id === drawn.policy));
    const machine = host === 'a busy' ? { ...proof.machine, quantum: LONG_QUANTUM } : proof.machine;
    const alone: Proof = { ...proof, machine, catalog: { ...catalog, policies } };
    const both = () => Promise.all([live('boot', drawn, alone), live('fork', drawn, alone)]);
    const [boot, fork] = await withSlots(SLOTS, () => (host === 'a busy' ? onBusyHost(both) : both()));
    t.deepEqual(fork, boot);
  });
}
