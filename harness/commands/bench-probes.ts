// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { PROBE_SETS, type ProbeSet } from '../core/probe-counters.ts';
import type { Spec } from '../core/spec.ts';
import type { TrialRecord } from '../core/trial.ts';
import { planTrials } from '../plan/plan.ts';
import { runTrials } from '../run/controller.ts';
import { readSpec } from '../spec/read-spec.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import { overheadCsv, overheadMarkdown, overheadRows, type ProbeArm } from './bench-probes-report.ts';
import type { Command, CommandContext } from './context.ts';
import { openLab } from './open-lab.ts';

export interface BenchProbesArgs {
  readonly spec?: string;
  readonly jobs?: number;
  /** Folder that gets `probe-overhead.csv` and `.md`; printed only when absent. */
  readonly out?: string;
}

/** Without probes, each set alone, what vectors are made of, and everything. */
const ARMS: readonly (readonly ProbeSet[])[] = [
  [],
  ...PROBE_SETS.map((set) => [set]),
  PROBE_SETS.filter((set) => set !== 'calls'),
  PROBE_SETS,
];

/** `pmvx bench probes`: a spec without probes and with each set of them, and what they cost in virtual time. Keeps no run. */
export const benchProbesCommand: Command<BenchProbesArgs> = async (args, context) => {
  const path = args.spec ?? join(context.root, 'harness/experiments/probe-overhead.yaml');
  const spec = await readSpec(path, await context.catalog(), 'exact');
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-bench-'));
  try {
    const arms: ProbeArm[] = [];
    for (const sets of ARMS)
      arms.push({ sets, records: await runArm(spec, sets, args.jobs, scratch, context) });
    const rows = overheadRows(arms);
    const command = ['pmvx bench probes', ...(args.spec === undefined ? [] : [args.spec])].join(' ');
    const text = overheadMarkdown(rows, command);
    context.write(text.trimEnd());
    if (args.out !== undefined) {
      const folder = resolve(args.out);
      await mkdir(folder, { recursive: true });
      await writeAtomic(join(folder, `${spec.name}.csv`), overheadCsv(rows));
      await writeAtomic(join(folder, `${spec.name}.md`), text);
    }
    const whole = rows.every(({ planned, completed }) => planned === completed);
    return whole && rows.length > 0 ? ExitCode.ok : ExitCode.incomplete;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

async function runArm(
  spec: Spec,
  sets: readonly ProbeSet[],
  jobs: number | undefined,
  scratch: string,
  context: CommandContext,
): Promise<TrialRecord[]> {
  const name = sets.length === 0 ? 'none' : sets.join('+');
  const { probes, ...without } = spec;
  const own: Spec =
    sets.length === 0 ? without : { ...without, probes: { sets, windowMs: probes?.windowMs ?? 250 } };
  const catalog = await context.catalog();
  const { trials } = planTrials(own);
  const lab = await openLab(own, trials, catalog, context);
  const records: TrialRecord[] = [];
  const end = await runTrials({
    run: `${spec.name}-${name}`,
    spec: own,
    trials,
    catalog,
    engine: lab.engine,
    log: { records, append: (record) => void records.push(record) },
    consoles: join(scratch, name),
    jobs: jobs ?? 1,
    signal: context.signal,
    watch: () => undefined,
  });
  if (end === 'interrupted')
    throw new PmvxError(ExitCode.interrupted, { what: 'stopped: nothing was measured' });
  context.warn(`${name}: ${records.length} trials`);
  return records;
}
