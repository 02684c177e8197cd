// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { EngineRun } from '../../analysis/fidelity/engine-run.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { ENGINE_NAMES, type EngineName } from '../core/trial.ts';
import type { EngineStatus } from '../lab/engine.ts';
import { readSpec } from '../spec/read-spec.ts';
import { RUN_FILES, readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { engineStatuses, jobsOn, policiesOn, type TryEngine } from './fidelity-engines.ts';
import { runSpec } from './run.ts';
import { stamp } from './run-place.ts';
import { shellWords } from './shell-words.ts';

const SPEC = 'harness/experiments/fidelity.yaml';
const ENGINES: readonly EngineName[] = ['exact', 'tcg', 'kvm', 'native'];

export interface FidelityOptions {
  /** Path of the spec; the one that ships when absent. */
  readonly spec?: string;
  readonly engines?: readonly EngineName[];
  /** Folder of the experiment; one that exists is gone on with. */
  readonly out?: string;
  readonly jobs?: number;
}

/**
 * The same experiment on every engine that works here, each an ordinary run in a folder of its own, then what they say compared:
 * engines tried -> runs, one after the other -> fidelity.csv, fidelity.md, figures.
 */
export async function fidelityCommand(
  options: FidelityOptions,
  context: CommandContext,
  tryEngine?: TryEngine,
): Promise<ExitCode> {
  const path = options.spec ?? join(context.root, SPEC);
  const catalog = await context.catalog();
  const spec = await readSpec(path, catalog);
  requireOnePoint(spec, path);
  const folder = resolve(
    options.out ?? join(context.root, 'results/fidelity', `${spec.name}-${stamp(new Date())}`),
  );
  const engines = options.engines ?? ENGINES;
  const statuses = await engineStatuses(engines, spec, folder, context, tryEngine);
  const goOnWith = goOnCommand(options, folder);
  const codes: ExitCode[] = [];
  for (const { engine } of statuses.filter(({ engine, works }) => works && engines.includes(engine))) {
    const own = await readSpec(path, catalog, engine);
    const policies = policiesOn(engine, own, catalog);
    if (!policies.includes(own.baseline)) continue;
    const out = join(folder, engine);
    const resume = existsSync(join(out, RUN_FILES.provenance)) ? ({ resume: true } as const) : {};
    const jobs = jobsOn(engine, own.machine.vcpus, options.jobs);
    context.write('');
    const code = await runSpec({ ...own, policies }, { spec: path, out, jobs, goOnWith, ...resume }, context);
    if (code === ExitCode.interrupted) return code;
    codes.push(code);
  }
  const runs: EngineRun[] = [];
  for (const status of statuses) runs.push(await engineRun(status, folder));
  const { writeFidelity } = await import('./fidelity-report.ts');
  const { lines, files } = await writeFidelity(spec, statuses, runs, folder);
  for (const line of ['', ...lines, '']) context.write(line);
  context.write(`results in ${relative(process.cwd(), folder) || '.'}: ${files.join(', ')}`);
  return codes.length > 0 && codes.every((code) => code === ExitCode.ok) ? ExitCode.ok : ExitCode.incomplete;
}

/** Names of engines as an option has them: `exact,tcg`. */
export function parseEngines(text: string): EngineName[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  const known = (name: string): name is EngineName => (ENGINE_NAMES as readonly string[]).includes(name);
  const unknown = names.find((name) => !known(name));
  if (unknown === undefined) return names.filter(known);
  throw new PmvxError(ExitCode.usage, {
    where: '--engines',
    what: `"${unknown}" is no engine`,
    next: `Give some of ${ENGINE_NAMES.join(', ')}, with commas between.`,
  });
}

async function engineRun({ engine, works, why }: EngineStatus, folder: string): Promise<EngineRun> {
  const own = join(folder, engine);
  if (!works) return { engine, status: 'absent', why };
  if (!existsSync(join(own, RUN_FILES.provenance))) {
    return {
      engine,
      status: 'absent',
      why: `${engine} cannot run the baseline: it has the built-in policy only`,
    };
  }
  const { spec, plan, records } = await readRun(own);
  return { engine, status: 'ran', policies: spec.policies, planned: plan.trials, records };
}

function requireOnePoint(spec: Spec, path: string): void {
  if (spec.points.length === 1 && spec.points[0] === 'quiescent') return;
  throw new PmvxError(ExitCode.usage, {
    where: path,
    what: `engines are compared from the idle machine on, got at: ${spec.points.join(', ')}`,
    next: 'Remove at.',
  });
}

function goOnCommand(options: FidelityOptions, folder: string): string {
  const spec = options.spec === undefined ? [] : [options.spec];
  const engines = options.engines === undefined ? [] : ['--engines', options.engines.join(',')];
  return shellWords(['pmvx', 'fidelity', ...spec, ...engines, '--out', folder]);
}
