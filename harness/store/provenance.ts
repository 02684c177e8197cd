// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Spec } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';
import { readDistro } from './nodes.ts';

export interface HostFacts {
  readonly cpuModel?: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  /** `PRETTY_NAME` of os-release. */
  readonly distro?: string;
  readonly node: string;
}

/** What the lab says about the image and the emulator of a run. All absent on `mock`. */
export interface ImageFacts {
  readonly id?: string;
  readonly recipe?: string;
  /** SHA-256 by part: `guest`, `tools`, `initramfs`, ... */
  readonly digests?: Readonly<Record<string, string>>;
  readonly guestKernel?: string;
  readonly qemu?: { readonly version: string; readonly digest: string };
  /** Figures of the lab's self-test, as the lab keeps them. */
  readonly selfTest?: Readonly<Record<string, unknown>>;
}

/** Where a run's numbers come from: the contents of `provenance.json`. */
export interface Provenance {
  readonly v: 1;
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly pmvx: { readonly version: string; readonly commit?: string; readonly dirty?: boolean };
  readonly host: HostFacts;
  readonly engine: EngineName;
  readonly image: ImageFacts;
  /** Digest of the definitions of the spec's policies and workloads. */
  readonly definitions?: string;
  /** Base, count and the seed of every block in order. */
  readonly seeds: Spec['seeds'] & { readonly blocks?: readonly number[] };
  /** The runs that were put together to this one; the other facts are those of the oldest. Absent when it is a run of its own. */
  readonly parts?: readonly PartOfRun[];
}

/** Where one of several runs came from that are one now. */
export type PartOfRun = Omit<Provenance, 'seeds' | 'parts'> & {
  readonly shard?: { readonly index: number; readonly of: number };
};

/** Asks the host and git; what cannot be learnt (no git, no repository) is absent. */
export async function collectProvenance(given: {
  readonly run: string;
  /** Folder of the project. */
  readonly root: string;
  readonly engine: EngineName;
  readonly image: ImageFacts;
  readonly definitions?: string;
  readonly seeds: Provenance['seeds'];
  readonly createdAt: Date;
}): Promise<Provenance> {
  const [version, git, distro] = await Promise.all([
    packageVersion(given.root),
    gitFacts(given.root),
    readDistro(),
  ]);
  const cpuModel = cpus()[0]?.model;
  return {
    v: 1,
    run: given.run,
    createdAt: given.createdAt.toISOString(),
    pmvx: { version, ...git },
    host: {
      ...(cpuModel === undefined ? {} : { cpuModel }),
      cores: availableParallelism(),
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      kernel: release(),
      ...(distro === undefined ? {} : { distro }),
      node: process.version,
    },
    engine: given.engine,
    image: given.image,
    ...(given.definitions === undefined ? {} : { definitions: given.definitions }),
    seeds: given.seeds,
  };
}

async function packageVersion(root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}

async function gitFacts(root: string): Promise<{ commit?: string; dirty?: boolean }> {
  const options = { cwd: root, reject: false, env: { GIT_OPTIONAL_LOCKS: '0' } } as const;
  const [head, status] = await Promise.all([
    execa('git', ['rev-parse', 'HEAD'], options),
    execa('git', ['status', '--porcelain'], options),
  ]);
  if (head.failed || status.failed) return {};
  return { commit: head.stdout.trim(), dirty: status.stdout !== '' };
}
