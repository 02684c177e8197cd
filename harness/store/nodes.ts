// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { cpus, hostname, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import { stableJson, writeAtomic } from './atomic-write.ts';

/** In a run's folder: the nodes whose fingerprints are in its records. */
export const NODES_FILE = 'nodes.json';

const NodeFactsSchema = z.looseObject({
  name: z.string(),
  cpuModel: z.string().exactOptional(),
  /** As /proc/cpuinfo has it, like `0x2b000639`. */
  microcode: z.string().exactOptional(),
  /** Processors that the kernel runs, however few of them a job may use. */
  cores: z.int(),
  memoryMiB: z.int(),
  kernel: z.string(),
  /** `PRETTY_NAME` of os-release. */
  distro: z.string().exactOptional(),
});

/** A host that trials run on, as far as it may show in their figures. */
export type NodeFacts = Readonly<z.infer<typeof NodeFactsSchema>>;

/** Nodes by fingerprint. */
export type Nodes = Readonly<Record<string, NodeFacts>>;

/** A node's name and a digest of what it is: `n7-3fa2b4c5`. Another kernel or processor makes it another node. */
export function fingerprintOf(facts: NodeFacts): string {
  return `${facts.name}-${shortDigest(canonicalJson(facts)).slice(0, 8)}`;
}

/** The host that this process runs on. */
export async function ownNode(): Promise<NodeFacts> {
  const cpuModel = cpus()[0]?.model;
  const microcode = /^microcode\s*:\s*(\S+)$/m.exec(await textOf('/proc/cpuinfo'))?.[1];
  const distro = await readDistro();
  return {
    name: hostname(),
    ...(cpuModel === undefined ? {} : { cpuModel }),
    ...(microcode === undefined ? {} : { microcode }),
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    ...(distro === undefined ? {} : { distro }),
  };
}

/** `PRETTY_NAME` of os-release; undefined where there is none. */
export async function readDistro(): Promise<string | undefined> {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(await textOf('/etc/os-release'))?.[1];
}

/** The nodes of the run in `folder`; none in runs from before they were kept. */
export async function readNodes(folder: string): Promise<Nodes> {
  const path = join(folder, NODES_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return {};
  try {
    return z.record(z.string(), NodeFactsSchema).parse(JSON.parse(text));
  } catch (error) {
    throw new PmvxError(
      ExitCode.failure,
      { where: path, what: 'does not name nodes', next: 'Restore the file from a copy, or delete it' },
      { cause: error },
    );
  }
}

/** Adds nodes to those of the run in `folder`, whose lock the caller holds. */
export async function addNodes(folder: string, nodes: Nodes): Promise<void> {
  const known = await readNodes(folder);
  if (Object.keys(nodes).every((fingerprint) => Object.hasOwn(known, fingerprint))) return;
  await writeAtomic(join(folder, NODES_FILE), stableJson({ ...known, ...nodes }));
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
