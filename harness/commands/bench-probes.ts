// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { PROBE_SETS, type ProbeSet } from '../core/probe-counters.ts';
import type { Probes, Spec } from '../core/spec.ts';
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

/** Each set alone, what vectors are made of, and everything. */
const GROUPS: readonly (readonly ProbeSet[])[] = [
  ...PROBE_SETS.map((set) => [set]),
  PROBE_SETS.filter((set) => set !== 'calls'),
  PROBE_SETS,
];
/** Frequent events for a part of the time only, as a host that must not feel the probes has it. */
const TURN = { windowMs: 1000, onMs: 50 };
const WINDOW_MS = 250;

type Arm = Pick<ProbeArm, 'sets' | 'turn'> & { readonly probes?: Probes };

/** Without probes; with each group, all events counted; the same with frequent events for a part of the time. */
const ARMS: readonly Arm[] = [
  { sets: [] },
  ...GROUPS.map((sets) => ({ sets, probes: { sets, windowMs: WINDOW_MS } })),
  ...GROUPS.map((sets) => ({
    sets,
    turn: `${TURN.onMs} of ${TURN.windowMs} ms`,
    probes: { sets, ...TURN },
  })),
];

/** `pmvx bench probes`: a spec without probes and with each set of them, both ways, and what they cost in virtual time. Keeps no run. */
export const benchProbesCommand: Command<BenchProbesArgs> = async (args, context) => {
  const path = args.spec ?? join(context.root, 'harness/experiments/probe-overhead.yaml');
  const spec = await readSpec(path, await context.catalog(), 'exact');
  const scratch = await mkdtemp(join(tmpdir(), 'pmvx-bench-'));
  try {
    const arms: ProbeArm[] = [];
    for (const [at, arm] of ARMS.entries()) {
      const records = await runArm(spec, arm, `arm-${at}`, args.jobs, scratch, context);
      arms.push({ ...arm, records });
      context.warn(
        `${arm.sets.join(', ') || 'no probes'} (${arm.turn ?? 'all events'}): ${records.length} trials`,
      );
    }
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
  { probes }: Arm,
  name: string,
  jobs: number | undefined,
  scratch: string,
  context: CommandContext,
): Promise<TrialRecord[]> {
  const { probes: _, ...without } = spec;
  const own: Spec = probes === undefined ? without : { ...without, probes };
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
  return records;
}
