// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../core/ids.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { LogReader } from '../../store/log-lines.ts';
import type { RunScene } from './scene.ts';

/** What a run comes to that nothing happens to. */
export interface Undisturbed {
  readonly csv: string;
  /** Records by trial, without what belongs to the host and its clock. */
  readonly records: ReadonlyMap<string, string>;
}

/** Runs a scene to its end; throws when it does not come there by itself. */
export async function undisturbed(scene: RunScene): Promise<Undisturbed> {
  const controller = scene.start();
  const { code, signal } = await controller.ended;
  if (code !== 0) throw new Error(`an undisturbed run ended with ${code ?? signal}: ${controller.err()}`);
  return { csv: await csvOf(scene), records: measured(await recordsOf(scene)) };
}

export function csvOf(scene: Pick<RunScene, 'out'>): Promise<string> {
  return readFile(join(scene.out, 'trials.csv'), 'utf8');
}

/** Records of the log that are whole, whatever else is in it. */
export async function recordsOf(scene: Pick<RunScene, 'out'>): Promise<readonly TrialRecord[]> {
  const path = join(scene.out, 'trials.jsonl');
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return Buffer.alloc(0);
  });
  const reader = new LogReader(path, { damage: 'collect' });
  reader.push(bytes);
  return reader.end().records;
}

export function measured(records: readonly TrialRecord[]): Map<string, string> {
  return new Map(records.map(({ host: _host, ...rest }) => [rest.trial, canonicalJson(rest)]));
}
