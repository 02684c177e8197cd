// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { EngineName } from '../core/trial.ts';
import { plannedTrials, SPEC } from '../run/scene.ts';
import { collectProvenance } from '../store/provenance.ts';
import { createRun } from '../store/run-folder.ts';
import { chooseRunPlace, type PlaceOptions, type RunPlace } from './run-place.ts';

const NOW = new Date('2026-01-31T23:59:58Z');

async function newRoot(t: ExecutionContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-place-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  return root;
}

async function addRun(root: string, id: string, name: string, createdAt: string): Promise<void> {
  const seeds = SPEC.seeds;
  const engine: EngineName = 'mock';
  const provenance = await collectProvenance({
    run: id,
    root: join(import.meta.dirname, '../..'),
    engine,
    image: {},
    seeds,
    createdAt: new Date(createdAt),
  });
  const folder = join(root, 'results', 'runs', id);
  const run = await createRun(folder, {
    spec: { ...SPEC, name },
    plan: { trials: plannedTrials(2) },
    provenance,
  });
  await run.close();
}

function chosen(options: PlaceOptions, spec: string, root: string): Promise<RunPlace> {
  return chooseRunPlace(options, { spec, run: spec }, root, NOW);
}

test('a new run is named after its spec and the time, in UTC', async (t) => {
  const root = await newRoot(t);
  t.deepEqual(await chosen({}, 'first-look', root), {
    id: 'first-look-20260131-235958',
    folder: join(root, 'results/runs/first-look-20260131-235958'),
    exists: false,
  });
});

test("--out is the run's folder, and its name the run's id", async (t) => {
  const place = await chosen({ out: '/data/night-1/' }, 'first-look', '/r');
  t.deepEqual(place, { id: 'night-1', folder: '/data/night-1', exists: false });
});

test('--resume takes the latest run of the same spec, whatever its folder is called', async (t) => {
  const root = await newRoot(t);
  await addRun(root, 'zz-old', 'mine', '2026-01-01T00:00:00Z');
  await addRun(root, 'aa-new', 'mine', '2026-01-02T00:00:00Z');
  await addRun(root, 'mm-other', 'other', '2026-01-03T00:00:00Z');
  const place = await chosen({ resume: true }, 'mine', root);
  t.deepEqual(place, { id: 'aa-new', folder: join(root, 'results/runs/aa-new'), exists: true });
});

test('--resume says so when there is no run of the spec', async (t) => {
  const root = await newRoot(t);
  await addRun(root, 'mm-other', 'other', '2026-01-03T00:00:00Z');
  const error = await t.throwsAsync(chosen({ resume: true }, 'mine', root));
  t.is(
    error?.message,
    `${join(root, 'results/runs')}: there is no run of "mine" to go on with. Leave --resume out to start one, or name a folder: --resume DIR.`,
  );
});

test('--resume RUN is an id where there is one, else a folder; --out with --resume means that folder', async (t) => {
  const root = await newRoot(t);
  await mkdir(join(root, 'results/runs/one'), { recursive: true });
  t.is((await chosen({ resume: 'one' }, 's', root)).folder, join(root, 'results/runs/one'));
  t.is((await chosen({ resume: '/data/two' }, 's', root)).folder, '/data/two');
  t.is((await chosen({ resume: true, out: '/data/two' }, 's', root)).folder, '/data/two');
});

test('--out and --resume RUN contradict each other', async (t) => {
  const error = await t.throwsAsync(chosen({ resume: 'one', out: '/data/two' }, 's', '/r'));
  t.is(error?.message, '--out /data/two and --resume one both name a run. Give one of them.');
});
