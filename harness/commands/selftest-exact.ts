// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { ForkLab } from '../lab/fork/fork-point.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { openSnapshotStore } from '../lab/snapshots/store.ts';
import { defaultHostDeadlineMs } from '../lab/vm-engine.ts';
import { DISTURBANCES } from '../selftest/exact/disturbances.ts';
import { GUESTS } from '../selftest/exact/guests.ts';
import { runMachine } from '../selftest/exact/machine.ts';
import { type Row, storm, type Trial } from '../selftest/exact/storm.ts';
import { stormCsv, stormTable } from '../selftest/exact/table.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';

export interface ExactArgs {
  readonly minutes?: number;
  readonly trials?: number;
  readonly seed: number;
  readonly jobs?: number;
  /** Kinds of disturbance, with commas; all when absent. */
  readonly only?: string;
  readonly out?: string;
}

const IMAGE = 'quick';
/** Three machines of 1 GiB at their fork points. */
const STORE_BYTES = 4 * 2 ** 30;
/** A machine that is stopped and starved half of the time and more. */
const SLOWER = 10;

/** `pmvx selftest exact`: disturbs machines of the exact engine in every way that the host allows, and compares each with an undisturbed one. */
export async function exactCommand(args: ExactArgs, context: CommandContext): Promise<ExitCode> {
  const { minutes, trials, seed, jobs = availableParallelism() } = args;
  if (minutes === undefined && trials === undefined) {
    throw new PmvxError(ExitCode.usage, {
      what: 'nothing says how long to try',
      next: 'Give --minutes N, --trials N or both; see `pmvx selftest exact --help`',
    });
  }
  const asked = chosen(args.only);
  const kinds = asked.filter(({ obstacle }) => obstacle?.() === undefined);
  const image = await requireImage(context.root, cacheFolder(context.env), IMAGE);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-exact-')));
  const kept: string[] = [];
  try {
    if (kinds.length === 0) throw noKind(asked);
    const { signal } = context;
    const store = await openSnapshotStore(join(folder, 'store'), { limitBytes: STORE_BYTES, signal });
    const lab: ForkLab = {
      accelerator: 'exact',
      image,
      store,
      hostDeadlineMs: (orders, machine) => SLOWER * defaultHostDeadlineMs(orders, machine),
    };
    const placeOf = (trial: Trial, disturbed: boolean) =>
      join(folder, disturbed ? `trial-${trial.index}` : `undisturbed-${keyOf(trial)}`);
    let ended = 0;
    const rows = await storm({
      seed,
      trials: trials ?? Number.POSITIVE_INFINITY,
      forMs: (minutes ?? Number.POSITIVE_INFINITY) * 60_000,
      jobs,
      guests: GUESTS,
      kinds,
      signal,
      run: (trial, draw) => runMachine(lab, trial, placeOf(trial, draw !== undefined), signal, draw),
      tell: async (row, quiet) => {
        context.write(rowWords(++ended, row));
        const place = placeOf(row.trial, true);
        if (row.differs.length > 0) {
          const to = join(args.out ?? '.', `exact-difference-${seed}-${row.trial.index}`);
          await cp(place, join(to, 'disturbed'), { recursive: true });
          await cp(placeOf(row.trial, false), join(to, 'undisturbed'), { recursive: true });
          const { kind, guest, ...rest } = row.trial;
          const what = { ...rest, kind: kind.name, guest: guest.name, image: image.digest, quiet, seed };
          await writeFile(join(to, 'trial.json'), `${JSON.stringify(what, undefined, 1)}\n`);
          kept.push(to);
        }
        await rm(place, { recursive: true, force: true });
      },
    });
    return await report(rows, kept, args, asked, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function keyOf({ guest, vcpus, policy }: Trial): string {
  return `${guest.name}-${vcpus}-${policy}`;
}

async function report(
  rows: readonly Row[],
  kept: readonly string[],
  { minutes, trials, seed, only, out }: ExactArgs,
  kinds: typeof DISTURBANCES,
  context: CommandContext,
): Promise<ExitCode> {
  const options = Object.entries({ minutes, trials, seed, only }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  );
  const command = `pmvx selftest exact ${options.join(' ')}`;
  const table = stormTable(rows, { command, date: new Date().toISOString().slice(0, 10), kinds });
  context.write('');
  for (const line of table.slice(2)) context.write(line);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeAtomic(join(out, 'exactness.csv'), stormCsv(rows));
    await writeAtomic(join(out, 'exactness.md'), `${table.join('\n')}\n`);
  }
  const differing = rows.filter(({ differs }) => differs.length > 0).length;
  context.write('');
  context.write(`${rows.length} machines were disturbed, ${differing} differ from undisturbed ones`);
  for (const place of kept) context.warn(`pmvx: what both machines did is in ${place}`);
  if (rows.length === 0) context.warn('pmvx: no trial came to its end in that time; nothing is proven');
  return differing === 0 && rows.length > 0 ? ExitCode.ok : ExitCode.failure;
}

function rowWords(number: number, { trial, lived, differs, seconds }: Row): string {
  const { guest, kind, vcpus, policy, from } = trial;
  const vcpuWords = `${vcpus} vCPU${vcpus === 1 ? '' : 's'}`;
  const end =
    differs.length === 0
      ? 'the same'
      : `DIFFERS in ${differs.join(', ')}${lived.cause ? ` (${lived.cause.split('\n')[0]})` : ''}`;
  return `[${number}]  ${kind.name} (${lived.events}): ${guest.name}, ${vcpuWords}, ${policy}, ${from}: ${end}  (${seconds.toFixed(0)} s)`;
}

function chosen(only: string | undefined): typeof DISTURBANCES {
  if (only === undefined) return DISTURBANCES;
  const names = only.split(',');
  const unknown = names.find((name) => !DISTURBANCES.some((kind) => kind.name === name));
  if (unknown === undefined) return DISTURBANCES.filter(({ name }) => names.includes(name));
  throw new PmvxError(ExitCode.usage, {
    what: `there is no kind of disturbance "${unknown}"`,
    next: didYouMean(unknown, new Set(DISTURBANCES.map(({ name }) => name))),
  });
}

function noKind(kinds: typeof DISTURBANCES): PmvxError {
  const why = kinds.map(({ name, obstacle }) => `${name}: ${obstacle?.()}`).join('; ');
  return new PmvxError(ExitCode.usage, {
    what: `this host can do none of these kinds (${why})`,
    next: 'Give others with --only',
  });
}
