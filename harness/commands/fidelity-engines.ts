// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { Spec } from '../core/spec.ts';
import { ENGINE_NAMES, type EngineName } from '../core/trial.ts';
import type { EngineStatus } from '../lab/engine.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { makeFolder, stableJson, writeAtomic } from '../store/atomic-write.ts';
import { RUN_FILES } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';

/** In the folder of an experiment: what trying each engine said. */
const STATUS_FILE = 'engines.json';

/** Tries one engine on this host with the image and the CPUs of a spec. */
export type TryEngine = (engine: EngineName, spec: Spec, context: CommandContext) => Promise<EngineStatus>;

/**
 * Which engines work, from trying each; what was found is kept in `folder`. An engine that has a run there
 * already worked, and is not tried again. Engines that were tried earlier stay, also when they are not asked for now.
 */
export async function engineStatuses(
  engines: readonly EngineName[],
  spec: Spec,
  folder: string,
  context: CommandContext,
  tryEngine: TryEngine = tryOnHost,
): Promise<EngineStatus[]> {
  await makeFolder(folder);
  const path = join(folder, STATUS_FILE);
  const kept = existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as EngineStatus[]) : [];
  const statuses: EngineStatus[] = [];
  for (const engine of engines) {
    const before = kept.find((status) => status.engine === engine);
    const hasRun = existsSync(join(folder, engine, RUN_FILES.provenance));
    const status = before?.works === true && hasRun ? before : await tryEngine(engine, spec, context);
    statuses.push(status);
    context.write(`engine ${engine.padEnd(6)}  ${status.works ? 'works' : 'does not work'}: ${status.why}`);
  }
  const others = kept.filter(({ engine }) => !engines.includes(engine));
  const all = [...statuses, ...others].sort((a, b) => placeOf(a) - placeOf(b));
  await writeAtomic(path, stableJson(all));
  return all;
}

function placeOf({ engine }: EngineStatus): number {
  return ENGINE_NAMES.indexOf(engine);
}

async function tryOnHost(engine: EngineName, spec: Spec, context: CommandContext): Promise<EngineStatus> {
  if (engine === 'mock') return { engine, works: true, why: 'needs no machine; its numbers measure nothing' };
  const image = await requireImage(context.root, cacheFolder(context.env), spec.image);
  if (engine === 'native') {
    const { probeNative } = await import('../lab/native.ts');
    return probeNative(image, spec.machine.vcpus, context.signal);
  }
  const { probeEngine } = await import('../lab/probe.ts');
  return probeEngine(engine, image, context.signal);
}

/** The policies of a spec that an engine can run: on `native` the built-in ones. */
export function policiesOn(engine: EngineName, spec: Spec, catalog: Pick<Catalog, 'policies'>): string[] {
  const fits = (id: string) => engine !== 'native' || catalog.policies.get(id)?.definition.kind === 'builtin';
  return spec.policies.filter(fits);
}

/** Trials at once: engines in real time share the host's CPUs, so that each vCPU has one to itself. */
export function jobsOn(engine: EngineName, vcpus: number, asked = availableParallelism()): number {
  if (engine === 'exact' || engine === 'mock') return asked;
  if (engine === 'native') return 1;
  return Math.max(1, Math.min(asked, Math.floor(availableParallelism() / vcpus)));
}
