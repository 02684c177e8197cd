// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shortDigest } from '../../harness/core/ids.ts';
import { cargoEnvironment, copyCargoNetwork } from './cargo-network.ts';
import { runInRoot } from './enter-root.ts';
import { changeSince, keepSums } from './kept-sums.ts';
import type { Workshop } from './workshop.ts';

/** Lines of cargo's output that are kept as the reason why a crate is left out. */
const REASON_LINES = 6;

/** What came of building pinned crates. */
export interface BuiltCrates {
  /** Folders whose files are the programs of a crate. */
  readonly folders: readonly string[];
  /** Names of crates that did not build, with the reason. */
  readonly left: Readonly<Record<string, string>>;
}

/** Builds pinned crates inside the tools root. Each that builds is kept in the cache; each that does not is left out. */
export async function buildCrates(
  root: string,
  pins: readonly string[],
  tools: string,
  shop: Workshop,
): Promise<BuiltCrates> {
  const script = join(root, 'vm-images/builder/crates.sh');
  // Another compiler or other settings make another program.
  const key = pins.length === 0 ? '' : shortDigest(basename(tools) + (await readFile(script, 'utf8')));
  const kept = (pin: string): string => join(shop.cache, 'crates', `${pin}-${key}`);
  const wanted: string[] = [];
  for (const pin of pins) if (!(await isKept(kept(pin), pin, shop))) wanted.push(pin);
  const left: Record<string, string> = {};
  if (wanted.length > 0) {
    shop.say(`building from cargo's registry: ${wanted.join(', ')}`);
    const build = join(shop.scratch, 'crates');
    await copyCargoNetwork(build, process.env);
    await cp(script, join(build, 'crates.sh'));
    await mkdir(join(shop.cache, 'crates'), { recursive: true });
    const env = { ...cargoEnvironment(process.env), PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    try {
      await shop.step('crates', async ($) => {
        await runInRoot($({ env }), { root: tools, build, script: 'crates.sh', args: wanted });
      });
    } finally {
      // What was built before a build was stopped need not be built again.
      for (const pin of wanted) {
        const out = join(build, 'out', pin, 'bin');
        if (existsSync(out)) {
          await keepSums(kept(pin), out);
          await rename(out, kept(pin));
        } else left[crateName(pin)] = await reason(join(build, 'out', `${pin}.log`));
      }
      await rm(build, { recursive: true, force: true });
    }
  }
  for (const [name, why] of Object.entries(left)) shop.say(`left out: ${name}: ${why.split('\n')[0]}`);
  return { folders: pins.map(kept).filter((folder) => existsSync(folder)), left };
}

/** Whether a crate was built before, and its programs are what came of that; a damaged one is put out of the way. */
async function isKept(folder: string, pin: string, shop: Workshop): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const change = await changeSince(folder);
  if (change === undefined) return true;
  shop.say(`${pin}: what was kept of it is damaged (${change}), and is built again`);
  await rm(folder, { recursive: true });
  return false;
}

/** Copies the programs of crates to the other schedulers. */
export async function addCrates({ folders }: BuiltCrates, schedulers: string): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder)) await cp(join(folder, name), join(schedulers, name));
  }
}

/** Why a crate did not build: from the first line of its log that says `error` on, or the log's end. */
async function reason(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => 'cargo did not start');
  return reasonIn(text);
}

export function reasonIn(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const first = lines.findIndex((line) => /^error\b/.test(line));
  const from = first < 0 ? Math.max(0, lines.length - REASON_LINES) : first;
  return lines.slice(from, from + REASON_LINES).join('\n');
}

function crateName(pin: string): string {
  return pin.replace(/@.*$/, '');
}
