// SPDX-License-Identifier: Apache-2.0
import { looksOf } from '../../harness/core/looks.ts';
import { LEVEL } from '../stats/paired-ratio.ts';
import { MARGIN } from '../stats/verdict.ts';
import { withAdjusted } from './adjusted.ts';
import { blockHosts } from './block-hosts.ts';
import { groupRows } from './group-rows.ts';
import { judgeRows } from './judge-rows.ts';
import type { OutcomeTable, RowRole, TableInput } from './outcome-types.ts';
import { rankRows } from './rank.ts';
import { groupsOf, groupTrials } from './table-groups.ts';
import { tableNotes } from './table-notes.ts';

/**
 * The table of a run: every workload x every point x every policy of its spec, plus whatever else was recorded. No
 * policy is ever left out.
 */
export function outcomeTable(input: TableInput): OutcomeTable {
  const { spec, records, planned, margin = MARGIN } = input;
  const recordedEngines = [...new Set(records.map((record) => record.engine))].sort();
  const engines = recordedEngines.length === 0 ? [spec.machine.engine] : recordedEngines;
  const looks = looksOf(spec).length;
  // Bonferroni over looks: whichever it stopped at, 95 % of its intervals hold.
  const level = 1 - (1 - LEVEL) / looks;
  const trials = input.grouped ?? groupTrials(input);
  const roles = rolesOf(input);
  const hosts = input.hosts ?? blockHosts(records);
  const basis = { ...input, level, ...(hosts === undefined ? {} : { hosts }) };
  let notes = 0;
  const nextNote = () => ++notes;
  const rows = engines.flatMap((engine) =>
    groupsOf(input).flatMap((place) => {
      const group = { ...place, engine };
      return rankRows(groupRows(basis, group, trials(group), roles, nextNote));
    }),
  );
  const judged = judgeRows(rows, { margin, looks, power: input.onlyRatios !== true });
  const table = {
    run: input.run,
    name: spec.name,
    baseline: spec.baseline,
    engines,
    counterfactual: spec.counterfactual,
    margin,
    looks,
    planned: planned.length,
    recorded: records.length,
    rows: withAdjusted(judged),
  };
  return { ...table, notes: [...(input.remarks ?? []), ...tableNotes(table)] };
}

/**
 * The baseline, its A/A control, then the policies in the order of the spec, then any that only the records
 * know.
 */
function rolesOf({ spec, records }: TableInput): readonly RowRole[] {
  const extra = new Set(records.map((record) => record.policy));
  const known = new Set([...spec.policies, ...[...extra].sort()]);
  known.delete(spec.baseline);
  return [
    { policy: spec.baseline, role: 'baseline' },
    { policy: spec.baseline, role: 'aa' },
    ...[...known].map((policy) => ({ policy, role: 'measure' as const })),
  ];
}
