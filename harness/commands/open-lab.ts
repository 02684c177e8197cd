// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineName, PlannedTrial } from '../core/trial.ts';
import type { Engine, EngineStatus } from '../lab/engine.ts';
import { type ReadyImage, requireImage } from '../lab/image.ts';
import { cacheFolder, IMAGE_FILES } from '../lab/image-files.ts';
import { openEngine } from '../lab/open-engine.ts';
import { probeEngine } from '../lab/probe.ts';
import { readSelfTest, requirePassed, type SelfTestReport, selfTest } from '../lab/self-test.ts';
import type { ImageFacts } from '../store/provenance.ts';
import type { CommandContext } from './context.ts';
import { requireBuilt } from './left-out.ts';
import { openMockLab } from './mock-lab.ts';

/** What trials run in. */
export interface Lab {
  readonly engine: Engine;
  /** What provenance keeps of the image; empty on `mock`. */
  readonly image: ImageFacts;
}

/** Opens the engine that a spec asks for, with its image proven to be whole. */
export async function openLab(
  spec: Spec,
  trials: readonly PlannedTrial[],
  catalog: Catalog,
  context: CommandContext,
): Promise<Lab> {
  if (spec.machine.engine === 'mock') {
    const trialMs = Number(context.env.PMVX_MOCK_TRIAL_MS ?? 0);
    return { engine: await openMockLab(context.root, trials, catalog, trialMs), image: {} };
  }
  return openRealLab(spec, catalog, context);
}

async function openRealLab(spec: Spec, catalog: Catalog, context: CommandContext): Promise<Lab> {
  const cache = cacheFolder(context.env);
  const image = await requireImage(context.root, cache, spec.image);
  const workloads = spec.workloads.map(({ workload }) => workload);
  requireBuilt(image.manifest, { policies: spec.policies, workloads }, catalog);
  await requireEngine(spec.machine.engine, image, context.signal);
  const tested =
    spec.machine.engine === 'exact' ? await provenImage(image, context) : await readSelfTest(image);
  return {
    engine: await openEngine(spec, image, {
      cache,
      env: context.env,
      warn: (line) => context.warn(`pmvx: ${line}`),
      signal: context.signal,
    }),
    image: imageFacts(image, tested),
  };
}

/** Engines whose working depends on the host's kernel and devices are tried once, before the first trial. `exact` has its self-test. */
async function requireEngine(engine: EngineName, image: ReadyImage, signal: AbortSignal): Promise<void> {
  if (engine === 'kvm') refuseBroken(await probeEngine(engine, image, signal));
}

/** Throws, with the reason, for an engine that does not work here. */
export function refuseBroken({ engine, works, why }: EngineStatus): void {
  if (works) return;
  throw new PmvxError(ExitCode.environment, {
    what: `engine ${engine} does not work on this machine: ${why}`,
    next: '`pmvx doctor` says which engines do; give one of them with --engine',
  });
}

/** What provenance keeps of an image. */
export function imageFacts(image: ReadyImage, tested: SelfTestReport | undefined): ImageFacts {
  const { manifest } = image;
  const digest = (name: string): string => (manifest.files[name] as { sha256: string }).sha256;
  return {
    id: manifest.id,
    recipe: manifest.recipe,
    digests: {
      image: image.digest,
      kernel: digest(IMAGE_FILES.kernel),
      initramfs: digest(IMAGE_FILES.initrd),
      root: digest(IMAGE_FILES.root),
      plugin: digest(IMAGE_FILES.plugin),
      packages: digest(IMAGE_FILES.packages),
    },
    guestKernel: manifest.guestKernel,
    qemu: { version: manifest.qemuVersion, digest: digest('qemu/bin/qemu-system-x86_64') },
    ...(tested === undefined ? {} : { selfTest: { ...tested } }),
  };
}

/** An image is tested before its first experiment, and one that fails runs nothing on `exact`. */
export async function provenImage(image: ReadyImage, context: CommandContext): Promise<SelfTestReport> {
  let report = await readSelfTest(image);
  if (report === undefined) {
    context.write(`self-test of image ${image.manifest.recipe}, once before its first experiment`);
    report = await selfTest(image, {
      say: (line) => context.write(`     ${line}`),
      signal: context.signal,
      jobs: availableParallelism(),
    });
  }
  requirePassed(report, image);
  return report;
}
