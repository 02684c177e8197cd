// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { TrialRecord } from '../../core/trial.ts';
import { readRun } from '../../store/run-folder.ts';
import { becomes, processesOf, signal } from '../processes.ts';
import type { Outcome } from './kind.ts';
import { leftIn } from './leftovers.ts';
import type { Controller, RunScene, StartOptions } from './scene.ts';
import { csvOf, measured, recordsOf, type Undisturbed } from './undisturbed.ts';

/** What was done to a run. Whatever was started has ended, or has been told to go on. */
export interface Strike {
  readonly what: string;
  /** 1 when absent. */
  readonly faults?: number;
  /** Those that were started, in order. */
  readonly controllers: readonly Controller[];
  /**
   * What they had said when it happened, where what they said later counts for nothing: after a power cut nobody says anything, but here they go on, and
   * jbd2 answers an fsync with success whose transaction failed meanwhile (jbd2_complete_transaction looks for running transactions only).
   */
  readonly said?: string;
  /** The log itself was damaged: what it held there may be measured again. */
  readonly damagesLog?: boolean;
  /** Takes the cause away: puts back, frees, mends. Before the run is gone on with, when nothing has to be asked for. */
  readonly mend?: () => Promise<void> | void;
  /** What the program's words must ask for, and doing that. */
  readonly remedy?: { readonly asked: RegExp; readonly act: () => Promise<void> | void };
  /** How the run is gone on with. */
  readonly resume?: StartOptions;
}

/** A process that has lost its parent ends at once; a busy host takes a while to do it. */
const GRACE_MS = 5000;
/** A run that has not come to its end after so many calls never does. */
const MOST_RESUMES = 4;

/** Goes on with a run that was struck until it is done, and compares it with the undisturbed one. */
export async function recover(scene: RunScene, base: Undisturbed, strike: Strike): Promise<Outcome> {
  const last = strike.controllers.at(-1);
  const end = await last?.ended;
  const early = await lostSoFar(scene, strike);
  const before = await recordsOf(scene);
  const orphans = await orphansOf(scene);
  await strike.mend?.();
  let told: string | undefined;
  let resumes = 0;
  let fault: string | undefined;
  // A run that has ended well by itself needs nobody to go on with it, unless its files were damaged afterwards.
  let done = end?.code === 0 && strike.damagesLog !== true && strike.remedy === undefined;
  while (!done && resumes < MOST_RESUMES && fault === undefined) {
    const controller = scene.start(strike.resume);
    const { code, signal: killed } = await controller.ended;
    resumes++;
    if (code === 0) done = true;
    else if (told === undefined && strike.remedy?.asked.test(controller.err())) {
      told = firstLine(controller.err());
      await strike.remedy.act();
    } else fault = `gone on with, it ended with ${code ?? killed}: ${firstLine(controller.err())}`;
  }
  if (!done) fault ??= `not done after ${resumes} more calls`;
  const after = done ? await compare(scene, base) : { changed: 0 };
  const kept = strike.damagesLog ? 0 : remeasured(before, await recordsOf(scene));
  return {
    what: strike.what,
    faults: strike.faults ?? 1,
    resumes,
    ...(told === undefined ? {} : { told }),
    lost: early + kept,
    changed: after.changed,
    orphans: orphans + (await orphansOf(scene)),
    leaked: leftIn(scene),
    ...(fault === undefined && after.fault === undefined ? {} : { fault: fault ?? after.fault ?? '' }),
  };
}

/** Records that were told of as recorded and are not in the log. */
async function lostSoFar(scene: RunScene, { controllers, said, damagesLog }: Strike): Promise<number> {
  if (damagesLog) return 0;
  const texts = said === undefined ? controllers.map((each) => each.out()) : [said];
  const told = texts.flatMap((text) =>
    [...text.matchAll(/^\[ *(\d+)\/\d+\] (?!.*VM lost)/gm)].map(([, count]) => Number(count)),
  );
  return Math.max(0, Math.max(0, ...told) - (await recordsOf(scene)).length);
}

/** Records that were there and were measured once more. */
function remeasured(before: readonly TrialRecord[], after: readonly TrialRecord[]): number {
  const began = new Map(after.map(({ trial, host }) => [trial, host.startedAt]));
  return before.filter(({ trial, host }) => began.get(trial) !== host.startedAt).length;
}

async function compare(
  scene: RunScene,
  base: Undisturbed,
): Promise<{ readonly changed: number; readonly fault?: string }> {
  const records = measured(await recordsOf(scene));
  const differ = [...base.records].filter(([trial, text]) => records.get(trial) !== text).length;
  const more = [...records.keys()].filter((trial) => !base.records.has(trial)).length;
  const changed = differ + more;
  if (changed > 0) return { changed, fault: `${changed} records are not those of an undisturbed run` };
  if ((await csvOf(scene)) !== base.csv)
    return { changed, fault: 'trials.csv is not that of an undisturbed run' };
  try {
    const { notices } = await readRun(scene.out);
    return notices.length === 0 ? { changed } : { changed, fault: `reading it says: ${notices.join('; ')}` };
  } catch (error) {
    return { changed, fault: `it cannot be read: ${(error as Error).message}` };
  }
}

/** Counts what is left of the scene's processes, and ends it. */
async function orphansOf(scene: RunScene): Promise<number> {
  if (!existsSync(scene.folder)) return 0;
  await becomes(() => processesOf(scene.folder).length === 0, GRACE_MS, 20);
  const left = processesOf(scene.folder);
  for (const { pid } of left) signal(pid, 'SIGKILL');
  return left.length;
}

export function firstLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .find((line) => !/damaged .* made again$/.test(line)) ?? ''
  ).slice(0, 300);
}
