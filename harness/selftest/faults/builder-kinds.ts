// SPDX-License-Identifier: Apache-2.0
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BuildScene, buildScene } from '../../../vm-images/builder/build-scene.ts';
import { filesBelow } from '../../lab/image-files.ts';
import type { Draw } from '../draw.ts';
import { becomes, processesOf, signal } from '../processes.ts';
import { type Damage, damageFile } from './damage.ts';
import { compiler } from './host.ts';
import type { Kind, Outcome } from './kind.ts';

/**
 * Faults of image builds: the real builder, whose roots come from a stand-in for mmdebstrap in a second instead of minutes.
 */
export function builderKinds(): Kind[] {
  const kind = (
    name: string,
    about: string,
    weight: number,
    work: (scene: BuildScene, draw: Draw) => Promise<Strike>,
  ): Kind => ({
    name,
    about,
    subject: 'builder',
    weight,
    obstacle: compiler,
    async run({ folder, draw }) {
      const undo: (() => unknown)[] = [];
      const scene = await buildScene({ teardown: (each) => undo.push(each) }, folder);
      try {
        return await recovered(scene, folder, await work(scene, draw));
      } finally {
        for (const each of undo.toReversed()) await each();
      }
    },
  });
  return [
    kind(
      'kill-builder',
      'kill -9 of the builder, while it fetches, compiles, assembles or moves into place',
      6,
      killBuilder,
    ),
    kind('pause-builder', 'SIGSTOP of the builder, then SIGCONT or kill -9', 2, pauseBuilder),
    kind('damaged-parts', 'a file of the kept roots, or of the image, is damaged', 4, damagedParts),
  ];
}

interface Strike {
  readonly what: string;
  /** What the builder said before it was struck, or at first. */
  readonly digest?: string;
  readonly force?: boolean;
}

const READY = /^ready ([0-9a-f]{16})$/m;

/** The digest of an image, as the first build of any scene gives it: the scene is the same each time. */
let known: string | undefined;

async function firstBuild(scene: BuildScene): Promise<string> {
  const { said } = await scene.build().ended;
  const digest = READY.exec(said)?.[1];
  if (digest === undefined) throw new Error(`an undisturbed build failed: ${said}`);
  return digest;
}

async function killBuilder(scene: BuildScene, draw: Draw): Promise<Strike> {
  const again = draw.chance(30);
  if (again) await firstBuild(scene);
  const builder = scene.build({ force: again });
  const ms = draw.between(0, draw.oneOf([200, 1200, 2500]));
  await delay(ms);
  builder.child.kill('SIGKILL');
  const { said } = await builder.ended;
  const last = said.trim().split('\n').at(-1) ?? '';
  return {
    what: `${again ? 'rebuilding, ' : ''}killed after ${ms} ms${last === '' ? '' : `, after "${last}"`}`,
  };
}

async function pauseBuilder(scene: BuildScene, draw: Draw): Promise<Strike> {
  const builder = scene.build();
  const { pid } = builder.child;
  const ms = draw.between(0, 1500);
  await delay(ms);
  if (pid !== undefined) signal(pid, 'SIGSTOP');
  await delay(draw.between(50, 800));
  const then = draw.oneOf(['SIGCONT', 'SIGKILL'] as const);
  if (pid !== undefined) signal(pid, then);
  await builder.ended;
  return { what: `stopped after ${ms} ms, then ${then}` };
}

const DAMAGE: readonly Damage[] = ['cut', 'emptied', 'flipped bit', 'zeroed block', 'garbage at the end'];

async function damagedParts(scene: BuildScene, draw: Draw): Promise<Strike> {
  const digest = await firstBuild(scene);
  const inRoots = draw.chance(60);
  const folder = join(scene.cache, inRoots ? 'roots' : 'images');
  const names = (await filesBelow(folder)).filter(
    (name) =>
      !/\.sums$|selftest\.json$|\/(?:dev|proc|build)\//.test(name) &&
      // A link may lead to a folder, or nowhere.
      lstatSync(join(folder, name)).isFile(),
  );
  const name = draw.oneOf(names);
  const how = await damageFile(join(folder, name), draw, DAMAGE);
  // A root only matters to the next build.
  if (inRoots) await rm(join(scene.cache, 'images'), { recursive: true });
  return { what: `${inRoots ? 'roots' : 'images'}/${name} ${how}`, digest };
}

/** Builds until an image is there, as the program's words ask, and compares it with an undisturbed one. */
async function recovered(scene: BuildScene, folder: string, strike: Strike): Promise<Outcome> {
  const orphans = await orphansOf(scene);
  let told: string | undefined;
  let builds = 0;
  let digest: string | undefined;
  while (digest === undefined && builds < 3) {
    const { said, code } = await scene.build({ force: told !== undefined }).ended;
    builds++;
    digest = READY.exec(said)?.[1];
    if (digest !== undefined) break;
    if (!/--force/.test(said) || told !== undefined)
      return {
        ...NOTHING,
        what: strike.what,
        resumes: builds,
        orphans,
        fault: `ended with ${code}: ${said.slice(0, 300)}`,
      };
    told = said.trim().split('\n')[0] ?? '';
  }
  known ??= strike.digest ?? (await undisturbedDigest(folder));
  const changed = digest !== known;
  const leaked = readdirSync(scene.cache).filter(
    (name) => !['images', 'roots', 'logs', 'build.lock'].includes(name),
  );
  return {
    ...NOTHING,
    what: strike.what,
    resumes: builds,
    ...(told === undefined ? {} : { told }),
    changed: changed ? 1 : 0,
    orphans: orphans + (await orphansOf(scene)),
    leaked,
    ...(changed ? { fault: `the image is ${digest}, undisturbed ${known}` } : {}),
  };
}

const NOTHING = { faults: 1, lost: 0, changed: 0, orphans: 0, leaked: [] } as const;

async function undisturbedDigest(folder: string): Promise<string> {
  const undo: (() => unknown)[] = [];
  const own = join(folder, 'undisturbed');
  await mkdir(own);
  const scene = await buildScene({ teardown: (each) => undo.push(each) }, own);
  try {
    return await firstBuild(scene);
  } finally {
    for (const each of undo.toReversed()) await each();
  }
}

/** Counts what is left of a scene's processes, and ends it. */
async function orphansOf(scene: BuildScene): Promise<number> {
  const folder = dirname(scene.root);
  if (!existsSync(folder)) return 0;
  await becomes(() => processesOf(folder).length === 0, 5000, 20);
  const left = processesOf(folder);
  for (const { pid } of left) signal(pid, 'SIGKILL');
  return left.length;
}
