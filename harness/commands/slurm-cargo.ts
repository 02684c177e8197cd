// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { forkPoint } from '../lab/fork/fork-point.ts';
import { imageDigest, imageFolder, type ReadyImage, readManifest, requireImage } from '../lab/image.ts';
import type { Accelerator } from '../lab/qemu-arguments.ts';
import { snapshotLimit } from '../lab/snapshots/quota.ts';
import { openSnapshotStore } from '../lab/snapshots/store.ts';
import { defaultHostDeadlineMs } from '../lab/vm-engine.ts';
import { ordersFor } from '../run/orders.ts';
import { slurmFolder } from '../scale/slurm/jobs-file.ts';
import { type Cargo, cargoOf, packCargo, stageCargo, unpackCargo } from '../scale/slurm/ship.ts';
import type { TaskBasis } from '../scale/slurm/task.ts';
import type { CommandContext } from './context.ts';
import { type Lab, openLab, provenImage } from './open-lab.ts';

/** The lab of a task: images and snapshots are where all nodes share them, or on this node's own disk, to which they are brought first. */
export async function openTaskLab(
  { spec, jobs }: TaskBasis,
  trials: readonly PlannedTrial[],
  context: CommandContext,
): Promise<Lab> {
  const catalog = await context.catalog();
  const at = (cache: string): CommandContext => ({ ...context, env: { ...context.env, PMVX_CACHE: cache } });
  const { cache, nodeCache } = jobs;
  if (spec.machine.engine === 'mock' || nodeCache === undefined) {
    return openLab(spec, trials, catalog, at(cache));
  }
  const bring = async () => {
    const cargo = await cargoHere(cache, spec.image, context);
    const brought = await stageCargo(cache, nodeCache, cargo, context.signal);
    if (brought.length > 0) context.write(`copied to this node: ${brought.join(', ')}`);
    return cargo;
  };
  const [image = ''] = await bring();
  try {
    return await openLab(spec, trials, catalog, at(nodeCache));
  } catch (error) {
    if (!(error instanceof PmvxError) || error.code !== ExitCode.image) throw error;
    context.warn(`pmvx: ${error.message.split('\n')[0]}; copied to this node once more`);
    await rm(join(nodeCache, image), { recursive: true, force: true });
    await bring();
    return openLab(spec, trials, catalog, at(nodeCache));
  }
}

/** What a node needs of the shared cache, by what it is called there. */
async function cargoHere(cache: string, recipe: string, context: CommandContext): Promise<Cargo> {
  const folder = await imageFolder(context.root, cache, recipe);
  const digest = imageDigest(await readManifest(folder, recipe));
  return cargoOf(cache, { folder, digest });
}

/**
 * Before the first array, on one node: the image is proven, and the machine of the run brought to the point where policies are chosen, once
 * for all nodes. With `broadcast` they are then sent to so many nodes.
 */
export async function prepareNodes(folder: string, basis: TaskBasis, context: CommandContext): Promise<void> {
  const { spec, jobs } = basis;
  const shared = { ...context, env: { ...context.env, PMVX_CACHE: jobs.cache } };
  const image = await requireImage(context.root, jobs.cache, spec.image);
  if (spec.machine.engine === 'exact') await provenImage(image, shared);
  await makeSnapshot(basis, image, shared);
  if (jobs.broadcast !== undefined) await broadcast(folder, basis, image, context);
}

async function makeSnapshot(
  { spec, plan, jobs }: TaskBasis,
  image: ReadyImage,
  context: CommandContext,
): Promise<void> {
  const [first] = plan.trials;
  const { engine } = spec.machine;
  if (first === undefined || spec.counterfactual !== 'fork' || engine === 'native' || engine === 'mock')
    return;
  const { workloads, policies } = await context.catalog();
  const all = spec.policies.flatMap((id) => policies.get(id) ?? []);
  const workload = workloads.get(first.workload);
  const policy = policies.get(first.policy);
  if (workload === undefined || policy === undefined) throw new Error('the plan names what is not there');
  const { forkAtMs: _, ...orders } = ordersFor(first, workload, policy, all, engine, spec.probes);
  const store = await openSnapshotStore(jobs.cache, {
    limitBytes: snapshotLimit(context.env),
    warn: (line) => context.warn(`pmvx: ${line}`),
    signal: context.signal,
  });
  const lab = { accelerator: engine as Accelerator, image, store, hostDeadlineMs: defaultHostDeadlineMs };
  const scratch = await mkdtemp(join(jobs.cache, '.prepare-'));
  try {
    const snapshot = await forkPoint(lab, orders, spec.machine, join(scratch, 'fork-point'), context.signal);
    context.write(`snapshot ${snapshot.key}`);
    await snapshot.release();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Packs image and snapshots into one file, and has Slurm send it to the disks of this job's nodes, where each unpacks it. */
async function broadcast(
  folder: string,
  { jobs, job }: TaskBasis,
  image: ReadyImage,
  context: CommandContext,
): Promise<void> {
  const { cache, nodeCache = '', broadcast: nodes = 1 } = jobs;
  const { signal } = context;
  const cargo = await cargoOf(cache, image);
  const packed = join(slurmFolder(folder), `${job.name}.tar`);
  const sent = join(nodeCache, `.sent-${job.name}.tar`);
  const each = ['--nodes', String(nodes), '--ntasks', String(nodes), '--ntasks-per-node=1'];
  try {
    await packCargo(cache, cargo, packed, signal);
    await execa('srun', [...each, 'mkdir', '-p', nodeCache], { cancelSignal: signal });
    await execa('sbcast', ['--force', packed, sent], { cancelSignal: signal });
    const cli = join(context.root, 'harness', 'cli.ts');
    const unpack = [process.execPath, cli, 'slurm', 'unpack', nodeCache, sent, ...cargo];
    const { stdout } = await execa('srun', [...each, ...unpack], { cancelSignal: signal });
    context.write(stdout);
  } finally {
    await rm(packed, { force: true });
  }
}

/** `pmvx slurm unpack`: what `broadcast` starts on each node. */
export async function slurmUnpackCommand(
  nodeCache: string,
  file: string,
  cargo: Cargo,
  context: CommandContext,
): Promise<ExitCode> {
  try {
    const brought = await unpackCargo(file, nodeCache, cargo, context.signal);
    context.write(
      `unpacked in ${basename(dirname(nodeCache))}/${basename(nodeCache)}: ${brought.join(', ')}`,
    );
    return ExitCode.ok;
  } finally {
    await rm(file, { force: true });
  }
}
