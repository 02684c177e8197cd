// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, statSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Draw } from '../draw.ts';
import { becomes, processesOf, signal } from '../processes.ts';
import { damageFile } from './damage.ts';
import { firstLine } from './disturbed-run.ts';
import type { Kind, Outcome } from './kind.ts';
import { leftIn } from './leftovers.ts';
import { type Controller, startPmvx } from './scene.ts';

/** Runs to learn: a few of the smallest of those that ship, and all their logs together. */
const RUNS = 4;

/** What a map comes to that nothing happens to. */
interface Undisturbed {
  readonly runs: readonly string[];
  /** All its evidence, as exported. */
  readonly text: string;
}

/** Faults of policy maps that learn: the learner is killed, the file is damaged, an export is damaged on its way. */
export function mapKinds(root: string, folder: string): Kind[] {
  let known: Promise<Undisturbed> | undefined;
  const base = () => {
    known ??= undisturbed(root, join(folder, 'undisturbed-map'));
    return known;
  };
  const kind = (
    name: string,
    about: string,
    weight: number,
    work: (scene: MapScene, draw: Draw, of: Undisturbed) => Promise<Done>,
  ): Kind => ({
    name,
    about,
    subject: 'map',
    weight,
    async run({ folder: own, draw }) {
      const of = await base();
      const scene = await mapScene(own);
      return judged(scene, of, await work(scene, draw, of));
    },
  });
  return [
    kind('kill-learner', 'kill -9 of pmvx learn, at any moment, once or several times', 6, killLearner),
    kind('damaged-map', 'the file of a map is damaged', 6, damagedMap),
    kind('damaged-export', 'an exported map is damaged before it is imported', 4, damagedExport),
  ];
}

interface MapScene {
  readonly folder: string;
  readonly map: string;
  pmvx(...args: string[]): Controller;
}

interface Done {
  readonly what: string;
  readonly faults?: number;
  readonly resumes: number;
  readonly told?: string;
  readonly fault?: string;
}

async function mapScene(folder: string): Promise<MapScene> {
  await mkdir(join(folder, 'tmp'), { recursive: true });
  await mkdir(join(folder, 'disk'));
  return {
    folder,
    map: join(folder, 'disk', 'map.db'),
    pmvx: (...args) => startPmvx(args, { TMPDIR: join(folder, 'tmp') }, folder),
  };
}

async function undisturbed(root: string, folder: string): Promise<Undisturbed> {
  const runs = globSync('results/reference/**/provenance.json', { cwd: root })
    .map((path) => join(root, dirname(path)))
    .map((run) => ({ run, bytes: statSync(join(run, 'trials.jsonl'), { throwIfNoEntry: false })?.size }))
    .filter(({ bytes }) => bytes !== undefined)
    .sort((a, b) => (a.bytes as number) - (b.bytes as number) || (a.run < b.run ? -1 : 1))
    .slice(0, RUNS)
    .map(({ run }) => run);
  const scene = await mapScene(folder);
  await learnAll(scene, runs);
  return { runs, text: await exported(scene) };
}

/** Learns each run; throws with the program's words when one is refused. */
async function learnAll(scene: MapScene, runs: readonly string[]): Promise<void> {
  for (const run of runs) await well(scene.pmvx('learn', run, '--map', scene.map));
}

async function exported(scene: MapScene): Promise<string> {
  const path = join(scene.folder, 'export.jsonl');
  await well(scene.pmvx('map', 'export', scene.map, path));
  return readFile(path, 'utf8');
}

async function well(controller: Controller): Promise<void> {
  const { code, signal: by } = await controller.ended;
  if (code !== 0) throw new Error(`ended with ${code ?? by}: ${firstLine(controller.err())}`);
}

async function killLearner(scene: MapScene, draw: Draw, { runs }: Undisturbed): Promise<Done> {
  const times = draw.between(1, 3);
  const words: string[] = [];
  for (let time = 0; time < times; time++) {
    const learner = scene.pmvx('learn', ...runs.slice(0, draw.between(1, runs.length)), '--map', scene.map);
    const begun = draw.chance(70);
    let over = false;
    const ended = learner.ended.then(() => {
      over = true;
    });
    // Most of the time of a call is spent before it opens the map.
    if (begun) await becomes(() => over || existsSync(scene.map), 60_000, 1);
    const ms = draw.between(0, begun ? 120 : 900);
    await Promise.race([delay(ms), ended]);
    signal(learner.pid, 'SIGKILL');
    await ended;
    words.push(`${ms} ms after ${begun ? 'the map was opened' : 'its start'}`);
    // What is there must be sound at any time.
    if (existsSync(scene.map) && statSync(scene.map).size > 0) {
      const check = scene.pmvx('map', 'check', scene.map);
      if ((await check.ended).code !== 0 && !/there is no such map/.test(check.err())) {
        return { what: words.join(', '), resumes: 0, fault: `after a kill: ${firstLine(check.err())}` };
      }
    }
  }
  await learnAll(scene, runs);
  return { what: `killed ${words.join(', ')}`, faults: times, resumes: 1 };
}

async function damagedMap(scene: MapScene, draw: Draw, { runs, text }: Undisturbed): Promise<Done> {
  await learnAll(scene, runs);
  const what = `map.db ${await damageFile(scene.map, draw)}`;
  const check = scene.pmvx('map', 'check', scene.map);
  const { code } = await check.ended;
  const words = firstLine(check.err());
  if (/unexpected/.test(words) || (code !== 0 && words === ''))
    return { what, resumes: 0, fault: `map check: ${words || code}` };
  if (code === 0) {
    // It says that the map is sound: then all of it must be there.
    const now = await exported(scene);
    return {
      what,
      resumes: 0,
      ...(now === text ? {} : { fault: 'map check calls a map sound that is another one' }),
    };
  }
  for (const name of ['', '-wal', '-shm']) await rm(`${scene.map}${name}`, { force: true });
  await learnAll(scene, runs);
  return { what, resumes: 1, told: words };
}

async function damagedExport(scene: MapScene, draw: Draw, { text, runs }: Undisturbed): Promise<Done> {
  await learnAll(scene, runs);
  await exported(scene);
  const path = join(scene.folder, 'export.jsonl');
  const what = `the export ${await damageFile(path, draw)}`;
  const other = { ...scene, map: join(scene.folder, 'disk', 'other.db') };
  const imported = other.pmvx('map', 'import', other.map, path);
  const { code } = await imported.ended;
  const words = firstLine(imported.err());
  if (code === 0) {
    const now = await exported(other);
    return {
      what,
      resumes: 0,
      ...(now === text ? {} : { fault: 'an export that was changed is taken for what it was' }),
    };
  }
  if (/unexpected/.test(words)) return { what, resumes: 0, fault: `map import: ${words}` };
  return { what, resumes: 1, told: words };
}

async function judged(scene: MapScene, base: Undisturbed, done: Done): Promise<Outcome> {
  await becomes(() => processesOf(scene.folder).length === 0, 5000, 20);
  const orphans = processesOf(scene.folder).length;
  const { fault } = done;
  const changed = fault === undefined && (await exported(scene)) !== base.text;
  const leaked = leftIn(scene).filter((path) => path !== 'tmp/node-compile-cache');
  return {
    what: done.what,
    faults: done.faults ?? 1,
    resumes: done.resumes,
    ...(done.told === undefined ? {} : { told: done.told }),
    lost: 0,
    changed: changed ? 1 : 0,
    orphans,
    leaked,
    ...(fault === undefined
      ? changed
        ? { fault: 'its evidence is not that of an undisturbed map' }
        : {}
      : { fault }),
  };
}
