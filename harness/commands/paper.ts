// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Claims, readClaims } from '../../paper-figs/claims/claims.ts';
import { judgeClaim } from '../../paper-figs/claims/judge-claim.ts';
import type { RunSource } from '../../paper-figs/claims/reproduction.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { readSpec } from '../spec/read-spec.ts';
import { RUN_FILES, readRun, type StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { paperEvidence } from './paper-evidence.ts';
import { runSpec } from './run.ts';
import { shellWords } from './shell-words.ts';

export type PaperSize = 'quick' | 'full';

/** The runs that the committed document is of. */
const REFERENCE = 'results/reference/paper-quick';

export interface PaperArgs {
  readonly size: PaperSize;
  /** Folder of the runs; those that are in it are gone on with. Default: results/paper/SIZE. */
  readonly out?: string;
  readonly jobs?: number;
  /** Runs nothing: judges what is in the folder. */
  readonly judge?: boolean;
}

/**
 * `pmvx paper`: the experiments of all claims, each an ordinary run in a folder of its own, one after the other -> a verdict for each claim, computed from
 * their records -> figures and `REPRODUCTION.md`: in `paper-figs`, or of other runs than the project's own in their folder.
 */
export async function paperCommand(args: PaperArgs, context: CommandContext): Promise<ExitCode> {
  const claims = await readClaims(context.root);
  const folder = resolve(args.out ?? join(context.root, 'results/paper', args.size));
  if (args.judge !== true) {
    const ended = await runExperiments(claims, args, folder, context);
    if (ended !== undefined) return ended;
  }
  const runs = await readRuns(claims, folder);
  if (runs.size === 0) {
    const names = Object.keys(claims.experiments).join(', ');
    const what = `there is no run of ${names} to judge`;
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what,
      next: 'Leave --judge out, or name another folder with --out',
    });
  }
  const evidence = await paperEvidence(claims, runs, context);
  const findings = claims.claims.map((claim) => ({ claim, finding: judgeClaim(claim.test, evidence) }));
  const { writePaper } = await import('./paper-report.ts');
  const files = await writePaper(findings, {
    runs,
    evidence,
    sources: [...runs].map(([experiment, run]) => sourceOf(experiment, run)),
    command: shellWords([
      './pmvx',
      'paper',
      `--${args.size}`,
      ...(args.out === undefined ? [] : ['--out', args.out]),
    ]),
    place: documentFolder(folder, args, context.root),
  });
  context.write('');
  for (const { claim, finding } of findings) {
    context.write(`${claim.id}  ${finding.verdict.padEnd(14)}  ${finding.because[0] ?? ''}`);
  }
  context.write('');
  context.write(`wrote ${files.map((file) => relative(process.cwd(), file)).join(', ')}`);
  return ExitCode.ok;
}

/** The committed document is of the runs in the usual place, or of those that are committed with it. */
function documentFolder(folder: string, { out }: PaperArgs, root: string): string {
  const own = out === undefined || folder === join(root, REFERENCE);
  return own ? join(root, 'paper-figs') : folder;
}

/** Undefined when every experiment ran to its end, though trials may have failed: that is data. */
async function runExperiments(
  claims: Claims,
  args: PaperArgs,
  folder: string,
  context: CommandContext,
): Promise<ExitCode | undefined> {
  const catalog = await context.catalog();
  const experiments = Object.entries(claims.experiments);
  const goOnWith = shellWords([
    'pmvx',
    'paper',
    `--${args.size}`,
    ...(args.out === undefined ? [] : ['--out', folder]),
  ]);
  const paths = experiments.map(([, { quick, full }]) =>
    join(context.root, 'harness/experiments', `${args.size === 'full' ? (full ?? quick) : quick}.yaml`),
  );
  // All are read before any runs: a fault in the last must not show after an hour.
  const specs = await Promise.all(paths.map((path) => readSpec(path, catalog)));
  const inImages = specs.filter(({ machine }) => machine.engine !== 'mock');
  for (const recipe of new Set(inImages.map(({ image }) => image))) {
    const { imageBuildCommand, imageSelftestCommand } = await import('./image.ts');
    const ready = [
      await imageBuildCommand({ recipe }, context),
      await imageSelftestCommand({ recipe }, context),
    ];
    const fault = ready.find((code) => code !== ExitCode.ok);
    if (fault !== undefined) return fault;
  }
  for (const [at, spec] of specs.entries()) {
    const [name] = experiments[at] as (typeof experiments)[number];
    const out = join(folder, name);
    const resume = existsSync(join(out, RUN_FILES.provenance)) ? ({ resume: true } as const) : {};
    const jobs = args.jobs === undefined ? {} : { jobs: args.jobs };
    context.write('');
    context.write(`${at + 1}/${specs.length}  ${name}`);
    const code = await runSpec(
      spec,
      { spec: paths[at] as string, out, goOnWith, ...jobs, ...resume },
      context,
    );
    if (code !== ExitCode.ok && code !== ExitCode.incomplete) return code;
  }
  return undefined;
}

async function readRuns(claims: Claims, folder: string): Promise<ReadonlyMap<string, StoredRun>> {
  const runs = new Map<string, StoredRun>();
  for (const name of Object.keys(claims.experiments)) {
    const own = join(folder, name);
    if (existsSync(join(own, RUN_FILES.provenance))) runs.set(name, await readRun(own));
  }
  return runs;
}

function sourceOf(experiment: string, { spec, records, provenance }: StoredRun): RunSource {
  return {
    experiment,
    spec: spec.name,
    run: provenance.run,
    trials: records.length,
    completed: records.filter(({ state }) => state === 'completed').length,
    engine: spec.machine.engine,
    image: provenance.image.id ?? 'none',
  };
}
