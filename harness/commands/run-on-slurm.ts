// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { type Plan, planTrials } from '../plan/plan.ts';
import { preflight } from '../run/preflight.ts';
import { resultsPlace } from '../run/results-place.ts';
import { siteSlurm } from '../scale/slurm/client.ts';
import { runOnSlurm } from '../scale/slurm/control.ts';
import { readJobs, type SlurmJobs } from '../scale/slurm/jobs-file.ts';
import { type Checks, readChecks } from '../store/checks.ts';
import type { ImageFacts } from '../store/provenance.ts';
import { type OpenRun, openRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { imageFacts } from './open-lab.ts';
import type { RunOptions } from './run.ts';
import { definitionsDigest, openOrCreate } from './run-basis.ts';
import { endRun } from './run-end.ts';
import { chooseRunPlace } from './run-place.ts';
import { shellWords } from './shell-words.ts';
import { jobsFrom } from './slurm-jobs.ts';
import type { SlurmOptions } from './slurm-options.ts';
import { watchSlurm } from './slurm-watcher.ts';
import { stopRule } from './stop-rule.ts';

/** Time between two looks at Slurm. */
const POLL_MS = 5000;

/** `pmvx run SPEC --on slurm`: makes the run, or opens it, hands in what is missing, and watches. */
export async function runSpecOnSlurm(
  spec: Spec,
  options: RunOptions & SlurmOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const plan = planTrials(spec);
  const names = { spec: spec.name, run: spec.name };
  const place = await chooseRunPlace(options, names, context.root, new Date());
  await preflight(dirname(place.folder), { trials: plan.trials.length, jobs: 0 }, resultsPlace);
  const before = place.exists ? await readJobs(place.folder) : undefined;
  const jobs = jobsFrom({ spec, plan }, options, before, context);
  const image = await imageOf(spec, context);
  const definitions = definitionsDigest(spec, await context.catalog());
  const run = await openOrCreate(place, { spec, plan, definitions, image }, context.root);
  try {
    return await watch(run, plan, jobs, options, context);
  } finally {
    await run.close();
  }
}

/** `pmvx slurm attach RUN`: goes on watching, and hands in what is missing and with nobody. */
export async function attachToSlurm(
  folder: string,
  options: Pick<RunOptions & SlurmOptions, 'report'>,
  context: CommandContext,
): Promise<ExitCode> {
  const jobs = await requireJobs(folder);
  const run = await openRun(folder);
  try {
    const plan = planTrials(run.spec);
    return await watch(run, plan, jobs, options, context);
  } finally {
    await run.close();
  }
}

/** How the run in `folder` is at Slurm. */
export async function requireJobs(folder: string): Promise<SlurmJobs> {
  const jobs = await readJobs(folder);
  if (jobs !== undefined) return jobs;
  throw new PmvxError(ExitCode.usage, {
    where: folder,
    what: existsSync(folder) ? 'was never handed in to Slurm' : 'there is no such run',
    next: 'pmvx run SPEC --on slurm --out DIR hands a run in',
  });
}

/** The image as it is known here. Nodes test it before their first trial; a host from which jobs are submitted is not for that. */
async function imageOf(spec: Spec, context: CommandContext): Promise<ImageFacts> {
  if (spec.machine.engine === 'mock') return {};
  return imageFacts(await requireImage(context.root, cacheFolder(context.env), spec.image), undefined);
}

async function watch(
  run: OpenRun,
  plan: Plan,
  jobs: SlurmJobs,
  options: Pick<RunOptions & SlurmOptions, 'report' | 'detach' | 'failOn'>,
  context: CommandContext,
): Promise<ExitCode> {
  for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
  const { spec } = run;
  const shown = relative(process.cwd(), run.folder) || '.';
  const engine = spec.machine.engine === 'mock' ? 'mock: not a measurement' : spec.machine.engine;
  context.write(
    `${spec.name}: ${plan.trials.length} trials on slurm, ${jobs.jobs} at once in a task, engine ${engine}, into ${shown}`,
  );
  const began = performance.now();
  const watcher = watchSlurm(plan.trials, context);
  const cli = join(context.root, 'harness', 'cli.ts');
  const { end, enough = spec.seeds.count } = await runOnSlurm({
    run,
    jobs,
    client: siteSlurm(),
    script: [join(context.root, 'harness/scale/slurm/batch.sh'), process.execPath, cli, run.folder],
    watch: watcher.watch,
    tell: watcher.tell,
    warn: watcher.warn,
    signal: context.signal,
    pollMs: Number(context.env.PMVX_SLURM_POLL_MS ?? POLL_MS),
    ...(spec.stop.rule === 'fixed' ? {} : { stop: await stopRule(spec) }),
    ...(options.detach === undefined ? {} : { detach: options.detach }),
  }).finally(watcher.end);
  if (end === 'interrupted') {
    const command = (name: string) => shellWords(['pmvx', 'slurm', name, run.folder]);
    context.write(`slurm goes on with it. Watch it: ${command('attach')}; stop it: ${command('cancel')}`);
    return options.detach === true ? ExitCode.ok : ExitCode.interrupted;
  }
  const words = checkWords(await readChecks(run.folder), jobs);
  if (words !== undefined) context.write(words);
  const report = options.report !== false;
  return endRun({ run, end, enough, plan, began, goOnWith: '', report, failOn: options.failOn }, context);
}

/** What was found where trials were measured twice on purpose. */
function checkWords(checks: Checks | undefined, { checkEvery }: SlurmJobs): string | undefined {
  if (checkEvery === 0) return undefined;
  const agreed = Object.keys(checks?.agreed ?? {}).length;
  const undecided = Object.keys(checks?.undecided ?? {}).length;
  const open = undecided === 0 ? '' : `; ${undecided} ended because of a host, so nothing follows from them`;
  if (agreed > 0)
    return `checked: ${agreed} trials once more on another node, each with the same result${open}`;
  return `not checked: no trial was measured on two nodes${open}`;
}
