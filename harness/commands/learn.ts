// SPDX-License-Identifier: Apache-2.0
import { FEATURES, FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { settleCalibrations } from '../../analysis/policy-map/choose/calibration.ts';
import { describeMachine } from '../../analysis/policy-map/evidence.ts';
import { openMap } from '../../analysis/policy-map/open-map.ts';
import { evidenceOfRun } from '../../analysis/policy-map/run-evidence.ts';
import { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { learntRun, openStoredRun } from './learnt-run.ts';

export interface LearnArgs {
  readonly runs: readonly string[];
  readonly map: string;
  /** Windows of trials, too, where they are kept. */
  readonly windows?: boolean;
  readonly json?: boolean;
}

/** Vectors of this pmvx. */
export const MAP_KIND = { features: FEATURES_VERSION, dimensions: FEATURES.length };

/** `pmvx learn RUN... --map MAP`: what runs showed becomes something that can be asked. All runs or, after an error, none. */
export async function learnCommand(
  { runs, map: where, windows, json }: LearnArgs,
  context: CommandContext,
): Promise<ExitCode> {
  // Before the map, so that a wrong name leaves no empty map behind.
  const read = await Promise.all(
    runs.map(async (name) => learntRun(await openStoredRun(name, context), windows)),
  );
  const map = await openMap(where, MAP_KIND);
  try {
    const evidence = read.flatMap(({ learnt }) => [...evidenceOfRun(learnt)]);
    const report = await map.learn(evidence, settleCalibrations);
    const facts = await map.facts();
    for (const { learnt, without } of read) {
      for (const [why, trials] of without)
        context.warn(`pmvx: run ${learnt.run}: ${trials} completed trials give no vector: ${why}`);
    }
    if (json === true) {
      context.write(JSON.stringify({ v: 1, learnt: report, map: facts }, null, 2));
      return ExitCode.ok;
    }
    context.write(
      `learnt ${report.outcomes} outcomes and ${report.observations} vectors of ${report.runs} new runs; ${report.known} pieces of evidence were known`,
    );
    context.write(
      `${where} now holds ${facts.outcomes} outcomes of ${facts.policies} policies in ${facts.situations} situations, from ${facts.runs} runs on:`,
    );
    for (const machine of facts.machines) context.write(`  ${describeMachine(machine)}`);
    if (facts.machines.length > 1)
      context.write('A query is answered from the evidence of its own machine alone.');
    if (facts.unplaced > 0) {
      context.warn(
        `pmvx: ${facts.unplaced} situations have no vector, so no query finds them. Learn a run of the same workloads on the same machine with probes: [cpu, mem, io, net]`,
      );
    }
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}
