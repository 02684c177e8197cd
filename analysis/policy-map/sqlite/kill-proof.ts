// SPDX-License-Identifier: Apache-2.0
// node analysis/policy-map/sqlite/kill-proof.ts [TIMES]: kills a process that learns with SIGKILL, so often (50), and looks at the map after each.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { deriveSeed } from '../../../harness/core/seed.ts';
import { openSqliteMap } from './writer.ts';

export const KILL_KIND = { features: 'kill-1', dimensions: 16 } as const;
/** What one run of {@link sampleEvidence} is made of: 40 observations and 400 outcomes, several commits of SQLite's pages. */
export const RUN_SIZE = { situations: 40, policies: 5, blocks: 2, dimensions: KILL_KIND.dimensions } as const;
const OUTCOMES = RUN_SIZE.situations * RUN_SIZE.policies * RUN_SIZE.blocks;

/** What was seen over all kills. */
export interface KillProof {
  readonly kills: number;
  /** Runs that the map holds at the end. */
  readonly runs: number;
  /** Kills after which a run was whole in the map that had not yet been reported as committed. */
  readonly unreported: number;
  readonly faults: readonly string[];
}

/** Kills a learning process `times` times, each at another moment, and checks the map after each: whole runs only, none lost, nothing inconsistent. */
export async function proveKills(folder: string, times: number): Promise<KillProof> {
  const path = join(folder, 'map.db');
  const faults: string[] = [];
  let reported = 0;
  let unreported = 0;
  for (let kill = 0; kill < times; kill++) {
    const child = execa(
      process.execPath,
      [join(import.meta.dirname, 'learn-forever.ts'), path, String(reported)],
      {
        reject: false,
        buffer: false,
      },
    );
    for await (const line of child) {
      if (line === 'open') {
        void delay(deriveSeed(kill, 'kill') % 150).then(() => child.kill('SIGKILL'));
      } else reported = Number(line) + 1;
    }
    const { signal, stderr } = await child;
    if (signal !== 'SIGKILL')
      faults.push(`kill ${kill}: the process ended by itself: ${String(stderr).slice(0, 300)}`);
    const map = openSqliteMap(path);
    const { runs, outcomes } = await map.facts();
    if (runs < reported) faults.push(`kill ${kill}: ${reported} runs were committed, and ${runs} are there`);
    if (outcomes !== runs * OUTCOMES)
      faults.push(`kill ${kill}: ${outcomes} outcomes of ${runs} runs, not ${OUTCOMES} of each`);
    faults.push(...(await map.verify()).map((fault) => `kill ${kill}: ${fault}`));
    await map.close();
    if (runs > reported) unreported++;
    reported = runs;
  }
  return { kills: times, runs: reported, unreported, faults };
}

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-kill-'));
  try {
    const proof = await proveKills(folder, Number(process.argv[2] ?? 50));
    console.log(JSON.stringify(proof, null, 2));
    process.exitCode = proof.faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
