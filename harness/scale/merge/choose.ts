// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ExitCode, type Fault, PmvxError } from '../../core/errors.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { type Difference, formatDifference } from '../../run/differences.ts';
import { RUN_FILES } from '../../store/run-folder.ts';
import { LineReader } from './line-reader.ts';
import type { Part, PartRecord } from './part.ts';
import { compareRecords, isDeterministic, preferred } from './same-result.ts';

/** The record that stands for a trial. */
export interface Chosen {
  readonly part: Part;
  readonly record: PartRecord;
}

export interface Choice {
  /** By `trialKey`. */
  readonly chosen: ReadonlyMap<string, Chosen>;
  /** Trials that were measured more than once, each time with the same result. */
  readonly repeats: number;
}

const SHOWN = 3;

/**
 * One record for each trial. Where a trial was measured several times, on `exact` (and `mock`) the results must be equal to the bit, or
 * the lab is broken: PmvxError (image). In real time no two results are, and which one counts nobody can say afterwards: PmvxError (usage).
 * `mixed`: parts may be of different labs, of which nothing is expected. The order of parts does not matter.
 */
export async function chooseRecords(
  parts: readonly Part[],
  { mixed = false }: { readonly mixed?: boolean } = {},
): Promise<Choice> {
  await using lines = new LineReader();
  const chosen = new Map<string, Chosen>();
  const repeated = new Set<string>();
  const broken: Mismatch[] = [];
  for (const part of parts) {
    for (const record of part.records) {
      const earlier = chosen.get(record.key);
      if (earlier === undefined) {
        chosen.set(record.key, { part, record });
        continue;
      }
      const a = await lines.read(earlier.part.folder, earlier.record);
      const b = await lines.read(part.folder, record);
      const compared = compareRecords(a, b);
      if (compared === 'identical') continue;
      const places = [placeOf(earlier), placeOf({ part, record })] as const;
      if (!isDeterministic(a.engine)) throw measuredTwice(a, b, places);
      if (typeof compared === 'object') {
        if (mixed) throw measuredTwice(a, b, places);
        broken.push({ a, b, places, differ: compared.differ });
        continue;
      }
      if (compared === 'equal') repeated.add(record.key);
      if (preferred(a, b) === b) chosen.set(record.key, { part, record });
    }
  }
  if (broken.length > 0) throw brokenLab(broken);
  return { chosen, repeats: repeated.size };
}

/** One trial with two results where there can be only one. */
export interface Mismatch {
  readonly a: TrialRecord;
  readonly b: TrialRecord;
  /** Where each record is: `FOLDER/trials.jsonl:LINE`. */
  readonly places: readonly [string, string];
  readonly differ: readonly Difference[];
}

/** The error that stops every claim. */
export function brokenLab(found: readonly Mismatch[]): PmvxError {
  const faults: Fault[] = found.slice(0, SHOWN).map(({ a, b, places, differ }) => ({
    where: places.join(' and '),
    what: `${whatOf(a)} has two results, ${nodeOf(a)} and ${nodeOf(b)}: ${differ.slice(0, SHOWN).map(shown).join('; ')}`,
  }));
  const more = found.length > SHOWN ? ` (${found.length} trials in all)` : '';
  return new PmvxError(ExitCode.image, [
    ...faults,
    {
      what: `on ${found[0]?.a.engine} a trial has one result on every host${more}: the lab is broken, and no claim can be made from these runs`,
      next: 'On both hosts: `./pmvx image verify RECIPE` and `./pmvx image selftest RECIPE --force`; then measure these blocks again',
    },
  ]);
}

function measuredTwice(a: TrialRecord, b: TrialRecord, places: readonly string[]): PmvxError {
  return new PmvxError(ExitCode.usage, {
    where: places.join(' and '),
    what: `${whatOf(a)} was measured twice (${nodeOf(a)}, ${nodeOf(b)}), and which result counts cannot be chosen afterwards`,
    next: 'Leave one of the runs out',
  });
}

function placeOf({ part, record }: Chosen): string {
  return `${join(part.folder, RUN_FILES.log)}:${record.line}`;
}

function whatOf({ workload, variant, policy, block, role }: TrialRecord): string {
  return `block ${block}, ${workload} ${variant} under ${policy}${role === 'aa' ? ' (a/a)' : ''}`;
}

function nodeOf({ run, trial, host: { fingerprint } }: TrialRecord): string {
  return `${run}/${trial}${fingerprint === undefined ? '' : ` on ${fingerprint}`}`;
}

function shown(difference: Difference): string {
  const text = formatDifference(difference);
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}
