// SPDX-License-Identifier: Apache-2.0
import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, release, totalmem } from 'node:os';
import { execa } from 'execa';
import { buildPrograms } from '../../vm-images/builder/host.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { confinement } from '../lab/confine/confine.ts';
import type { EngineStatus } from '../lab/engine.ts';
import { type ReadyImage, requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { probeNative } from '../lab/native.ts';
import { probeEngine } from '../lab/probe.ts';
import { readSelfTest } from '../lab/self-test.ts';
import type { Command, CommandContext } from './context.ts';
import { alignedTable } from './table.ts';

const RECIPE = 'quick';
/** What machines, their confinement and records need. */
const PROGRAMS = ['bash', 'perl', 'git'] as const;

interface Examination {
  readonly host: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, boolean>>;
  /** What building an image needs besides, and nothing else does. */
  readonly builds: Readonly<Record<string, boolean>>;
  readonly image: string;
  readonly engines: readonly EngineStatus[];
}

/** `pmvx doctor`: which engines work on this machine, and why, from trying each. */
export const doctorCommand: Command<{ readonly json: boolean }> = async ({ json }, context) => {
  const found = await examine(context);
  if (json) {
    context.write(JSON.stringify(found, null, 2));
  } else {
    for (const [name, value] of Object.entries(found.host)) context.write(`${name.padEnd(8)} ${value}`);
    context.write(`programs ${programWords(found.programs)}`);
    context.write(`builds   ${programWords(found.builds, '; nothing but building an image needs them')}`);
    context.write(`image    ${found.image}`);
    context.write('');
    const rows = found.engines.map(({ engine, works, why }) => ({
      engine,
      works: works ? 'yes' : 'no',
      why,
    }));
    for (const line of alignedTable(rows)) context.write(line);
  }
  return found.engines.some(({ engine, works }) => engine === 'exact' && works)
    ? ExitCode.ok
    : ExitCode.environment;
};

async function examine(context: CommandContext): Promise<Examination> {
  const cache = cacheFolder(context.env);
  const image = await requireImage(context.root, cache, RECIPE).catch((error: unknown) => {
    if (error instanceof PmvxError) return error;
    throw error;
  });
  return {
    host: await hostFacts(cache),
    programs: await programs(PROGRAMS),
    builds: await programs(Object.keys(buildPrograms())),
    image: image instanceof PmvxError ? image.message : await imageWords(image),
    engines: await engines(image, context.signal),
  };
}

async function hostFacts(cache: string): Promise<Record<string, string>> {
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const disk = await statfs(cache).then(
    ({ bavail, bsize }) => `${gib(bavail * bsize)} free in ${cache}`,
    () => `${cache} is not there yet`,
  );
  return {
    cores: String(availableParallelism()),
    memory: `${gib(totalmem())}, ${gib(freemem())} free`,
    kernel: release(),
    node: process.version,
    disk,
    machines: await confinementWords(),
  };
}

/** Who machines run as, and what they see. */
async function confinementWords(): Promise<string> {
  const found = await confinement();
  if (found.as === 'nobody')
    return `run as this user, behind QEMU's filter of system calls only: no namespaces here (${found.why})`;
  return `run as ${found.as}, without network, and see their own files only`;
}

function programWords(found: Readonly<Record<string, boolean>>, note = ''): string {
  const missing = Object.keys(found).filter((name) => !found[name]);
  return missing.length === 0 ? 'all there' : `missing: ${missing.join(', ')}${note}`;
}

async function programs(names: readonly string[]): Promise<Record<string, boolean>> {
  const found = await Promise.all(
    names.map(async (name) => {
      const { failed } = await execa({ reject: false })('sh', ['-c', 'command -v "$1"', 'sh', name]);
      return [name, !failed] as const;
    }),
  );
  return Object.fromEntries(found);
}

async function imageWords(image: ReadyImage): Promise<string> {
  const report = await readSelfTest(image);
  const tested =
    report === undefined ? 'not tested yet' : report.passed ? 'self-test passed' : 'self-test FAILED';
  return `${image.manifest.id}: guest kernel ${image.manifest.guestKernel}, QEMU ${image.manifest.qemuVersion}, ${tested}`;
}

async function engines(image: ReadyImage | PmvxError, signal: AbortSignal): Promise<EngineStatus[]> {
  const statuses: EngineStatus[] = [];
  for (const engine of ['exact', 'tcg', 'kvm', 'native'] as const) {
    if (image instanceof PmvxError) {
      statuses.push({ engine, works: false, why: `cannot be tried without the image "${RECIPE}"` });
    } else if (engine === 'native') {
      statuses.push(await probeNative(image, 1, signal));
    } else {
      statuses.push(await probeEngine(engine, image, signal));
    }
  }
  return [...statuses, { engine: 'mock', works: true, why: 'needs no machine; its numbers measure nothing' }];
}
