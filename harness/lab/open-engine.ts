// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { Engine } from './engine.ts';
import { forkEngine } from './fork/fork-engine.ts';
import type { ReadyImage } from './image.ts';
import { nativeEngine } from './native.ts';
import { readPackageEnergy, withPackageEnergy } from './package-energy.ts';
import { snapshotLimit } from './snapshots/quota.ts';
import { openSnapshotStore } from './snapshots/store.ts';
import { defaultHostDeadlineMs, vmEngine } from './vm-engine.ts';

export interface EngineOptions {
  /** Where snapshots are kept. */
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The engine that a spec asks for, on an image. Where the host's processors do the work as such, their energy is read. */
export async function openEngine(
  spec: Pick<Spec, 'machine' | 'counterfactual'>,
  image: ReadyImage,
  options: EngineOptions,
): Promise<Engine> {
  const engine = await bareEngine(spec, image, options);
  const onHost = engine.name === 'kvm' || engine.name === 'native';
  return onHost ? withPackageEnergy(engine, readPackageEnergy) : engine;
}

async function bareEngine(
  spec: Pick<Spec, 'machine' | 'counterfactual'>,
  image: ReadyImage,
  { cache, env, warn, signal }: EngineOptions,
): Promise<Engine> {
  const name = spec.machine.engine;
  if (name === 'mock') throw new Error('the mock engine has no image');
  if (name === 'native') return nativeEngine(image);
  const hostDeadlineMs = defaultHostDeadlineMs;
  if (spec.counterfactual === 'boot') return vmEngine(name, image, { hostDeadlineMs });
  const store = await openSnapshotStore(cache, { limitBytes: snapshotLimit(env), warn, signal });
  return forkEngine({ accelerator: name, image, store, hostDeadlineMs });
}
