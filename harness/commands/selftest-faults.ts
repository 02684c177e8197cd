// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { boundTo } from '../lab/machine-process.ts';
import { allKinds } from '../selftest/faults/all-kinds.ts';
import { campaign, isSound } from '../selftest/faults/campaign.ts';
import { type Kind, SUBJECTS, type Subject } from '../selftest/faults/kind.ts';
import { faultsCsv, faultsTable, roundWords, sumWords } from '../selftest/faults/table.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';

export interface FaultsArgs {
  readonly faults: number;
  readonly seed: number;
  /** Of these, with real machines; a tenth when absent. */
  readonly exact?: number;
  /** Names of kinds, with commas; all when absent. */
  readonly only?: string;
  readonly out?: string;
  readonly jobs?: number;
}

const IMAGE = 'quick';
/** Set in the process that has mounts of its own. */
const INSIDE = 'PMVX_SELFTEST_INSIDE';

/** `pmvx selftest --faults N`: disturbs runs, maps and builds, and compares what becomes of each with an undisturbed one. */
export async function faultsCommand(args: FaultsArgs, context: CommandContext): Promise<ExitCode> {
  if (context.env[INSIDE] === undefined) return inOwnMounts(context);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-faults-')));
  let keep = false;
  try {
    const wanted = sharesOf(args);
    const image =
      wanted.exact === 0 ? undefined : await requireImage(context.root, cacheFolder(context.env), IMAGE);
    const kinds = chosen(
      await allKinds({
        root: context.root,
        folder,
        jobs: args.jobs ?? 1,
        ...(image === undefined ? {} : { image: image.folder }),
      }),
      args.only,
    );
    let injected = 0;
    const rows = await campaign({
      seed: args.seed,
      faults: spread(wanted, kinds),
      kinds,
      folder,
      signal: context.signal,
      tell: (row) => {
        injected += row.faults;
        const place = `[${String(injected).padStart(String(args.faults).length)}/${args.faults}]`;
        context.write(`${place}  ${roundWords(row)}  (${row.seconds.toFixed(0)} s)`);
      },
    });
    const sound = rows.every(isSound);
    const options = [`--faults ${args.faults}`, `--seed ${args.seed}`];
    if (args.exact !== undefined) options.push(`--exact ${args.exact}`);
    if (args.only !== undefined) options.push(`--only ${args.only}`);
    const facts = {
      command: `pmvx selftest ${options.join(' ')}`,
      date: new Date().toISOString().slice(0, 10),
      kinds,
    };
    const table = faultsTable(rows, facts);
    context.write('');
    for (const line of table.slice(2)) context.write(line);
    context.write('');
    context.write(sumWords(rows));
    if (args.out !== undefined) {
      await mkdir(args.out, { recursive: true });
      await writeAtomic(join(args.out, 'faults.csv'), faultsCsv(rows));
      await writeAtomic(join(args.out, 'faults.md'), `${table.join('\n')}\n`);
    }
    keep = !sound;
    if (!sound) context.warn(`pmvx: folders of rounds that were not as undisturbed ones: ${folder}`);
    return sound ? ExitCode.ok : ExitCode.failure;
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
}

/** How many faults each subject gets. */
function sharesOf({ faults, exact = Math.floor(faults / 10) }: FaultsArgs): Record<Subject, number> {
  if (exact > faults) {
    throw new PmvxError(ExitCode.usage, {
      what: `--exact ${exact} are more than the ${faults} faults of --faults`,
      next: 'Give --exact at most as many',
    });
  }
  const rest = faults - exact;
  const [map, builder] = [Math.floor(rest / 9), Math.floor(rest / 15)];
  return { mock: rest - map - builder, exact, map, builder };
}

/** What a subject without kinds would have got goes to the first one with some. */
function spread(wanted: Record<Subject, number>, kinds: readonly Kind[]): Record<Subject, number> {
  const has = (subject: Subject) =>
    kinds.some((kind) => kind.subject === subject && kind.obstacle?.() === undefined);
  const heir = SUBJECTS.find(has);
  if (heir === undefined) return wanted;
  const given = { ...wanted };
  for (const subject of SUBJECTS.filter((each) => !has(each))) {
    given[heir] += given[subject];
    given[subject] = 0;
  }
  return given;
}

function chosen<T extends { readonly name: string }>(kinds: readonly T[], only: string | undefined): T[] {
  if (only === undefined) return [...kinds];
  const names = only.split(',');
  const unknown = names.find((name) => !kinds.some((kind) => kind.name === name));
  if (unknown === undefined) return kinds.filter(({ name }) => names.includes(name));
  throw new PmvxError(ExitCode.usage, {
    what: `there is no kind of fault "${unknown}"`,
    next: didYouMean(unknown, new Set(kinds.map(({ name }) => name))),
  });
}

/** The same call once more, where it may mount small disks that nobody else sees; where that cannot be had, without. */
async function inOwnMounts(context: CommandContext): Promise<ExitCode> {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const own = ['unshare', '--mount', ...asRoot];
  const possible = !(await execa('unshare', [...own.slice(1), 'true'], { reject: false })).failed;
  const [program, ...args] = boundTo(process.pid, [
    ...(possible ? own : []),
    process.execPath,
    ...process.argv.slice(1),
  ]);
  const inside = execa(program, args, {
    env: { [INSIDE]: possible ? 'mounts' : 'none' },
    stdio: 'inherit',
    reject: false,
    cancelSignal: context.signal,
    forceKillAfterDelay: 10_000,
  });
  const { exitCode } = await inside;
  context.signal.throwIfAborted();
  return (exitCode ?? ExitCode.failure) as ExitCode;
}
