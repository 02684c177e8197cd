// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';
import { canonicalJson } from '../../../harness/core/ids.ts';
import { type Cell, cellFor } from '../cells.ts';
import {
  type Evidence,
  evidenceDigest,
  type Machine,
  type Observation,
  type Outcome,
  type RunEvidence,
} from '../evidence.ts';
import type { LearnReport, MapKind } from '../policy-map.ts';
import { emptySummary, withOutcome } from '../summary.ts';
import { chord, unitVector } from '../vector.ts';
import {
  type Changes,
  type KnownRun,
  type LastNumbers,
  NO_WINDOW,
  type ObservationRow,
  type OutcomeRow,
  type SituationKey,
  type SituationRow,
  situationKey,
  type Tables,
  type TrialKey,
  trialKey,
} from './tables.ts';

/** Evidence that is looked up and written at once. */
const BATCH = 2000;

/** Learns `evidence` into `tables`; the caller holds a transaction and the right to write, from before until after. */
export async function learnInto(
  tables: Tables,
  kind: MapKind,
  evidence: Iterable<Evidence> | AsyncIterable<Evidence>,
): Promise<LearnReport> {
  const learner = await Learner.open(tables, kind);
  let batch: Evidence[] = [];
  for await (const each of evidence) {
    batch.push(each);
    if (batch.length < BATCH) continue;
    await learner.take(batch);
    batch = [];
  }
  await learner.take(batch);
  return learner.report;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What was read once stays true while the transaction lasts, because nobody else writes. */
class Learner {
  readonly #tables: Tables;
  readonly #kind: MapKind;
  readonly #last: Mutable<LastNumbers>;
  readonly #machines: Map<string, number>;
  readonly #policies: Map<string, number>;
  readonly #runs = new Map<string, KnownRun>();
  readonly #cells = new Map<number, Cell[]>();
  readonly report: Mutable<LearnReport> = { runs: 0, observations: 0, outcomes: 0, known: 0 };

  static async open(tables: Tables, kind: MapKind): Promise<Learner> {
    const [last, machines, policies] = [
      await tables.lastNumbers(),
      await tables.machines(),
      await tables.policies(),
    ];
    return new Learner(
      tables,
      kind,
      { ...last },
      new Map(machines.map(({ id, machine }) => [canonicalJson(machine), id])),
      new Map(policies.map(({ id, name }) => [name, id])),
    );
  }

  private constructor(
    tables: Tables,
    kind: MapKind,
    last: Mutable<LastNumbers>,
    machines: Map<string, number>,
    policies: Map<string, number>,
  ) {
    this.#tables = tables;
    this.#kind = kind;
    this.#last = last;
    this.#machines = machines;
    this.#policies = policies;
  }

  async take(batch: readonly Evidence[]): Promise<void> {
    const changes = new Draft();
    for (const each of batch) {
      if (each.kind === 'run') await this.#takeRun(each, changes);
      else await this.#findRun(each.run);
    }
    const fresh = await this.#fresh(batch.filter((each) => each.kind !== 'run'));
    const situations = await this.#situationsOf(fresh);
    for (const { evidence, digest, key } of fresh) {
      const where = this.#situationKey(evidence);
      const name = situationKey(where);
      const situation = situations.get(name) ?? { ...where, id: ++this.#last.situation, summaries: [] };
      situations.set(name, situation);
      const policy = this.#policy(evidence.policy, changes);
      if (evidence.kind === 'outcome') {
        const grown = withSummary(situation, evidence);
        situations.set(name, grown);
        changes.situations.set(name, grown);
        changes.outcomes.push({ ...key, situation: situation.id, policy, evidence, digest });
        this.report.outcomes++;
      } else {
        if (!changes.situations.has(name)) changes.situations.set(name, situation);
        changes.observations.push(await this.#place(evidence, digest, key, situation, policy, changes));
        this.report.observations++;
      }
    }
    await this.#tables.write(changes.finished());
  }

  async #takeRun(evidence: RunEvidence, changes: Draft): Promise<void> {
    const digest = evidenceDigest(evidence);
    const known = this.#runs.get(evidence.run) ?? (await this.#tables.run(evidence.run));
    if (known !== undefined) {
      this.#runs.set(evidence.run, known);
      if (known.digest !== digest) throw contradiction(`run ${evidence.run}`);
      this.report.known++;
      return;
    }
    const run = { id: ++this.#last.run, machine: this.#machine(evidence.machine, changes), digest };
    this.#runs.set(evidence.run, run);
    changes.runs.push({ ...run, evidence });
    this.report.runs++;
  }

  async #findRun(name: string): Promise<void> {
    if (this.#runs.has(name)) return;
    const known = await this.#tables.run(name);
    if (known === undefined) {
      throw new PmvxError(ExitCode.usage, {
        where: `run ${name}`,
        what: 'its trials come before the run itself, so nobody knows on which machine they were measured',
        next: 'Put the line of the run before those of its trials',
      });
    }
    this.#runs.set(name, known);
  }

  /** Evidence that the map does not have yet, once each. */
  async #fresh(batch: readonly (Observation | Outcome)[]) {
    const keyed = batch
      .map((each) => this.#kept(each))
      .map((evidence) => ({
        evidence,
        digest: evidenceDigest(evidence),
        key: {
          run: (this.#runs.get(evidence.run) as KnownRun).id,
          trial: evidence.trial,
          window: evidence.kind === 'outcome' ? NO_WINDOW : evidence.window,
        } satisfies TrialKey,
      }));
    const digests = new Map(await this.#tables.digests(keyed.map(({ key }) => key)));
    return keyed.filter(({ evidence, digest, key }) => {
      const known = digests.get(trialKey(key));
      if (known === undefined) {
        digests.set(trialKey(key), digest);
        return true;
      }
      if (known !== digest)
        throw contradiction(`${evidence.kind} of trial ${evidence.run}/${evidence.trial}`);
      this.report.known++;
      return false;
    });
  }

  /** Evidence as it is kept: vectors in their precision. */
  #kept(evidence: Observation | Outcome): Observation | Outcome {
    if (evidence.kind === 'outcome') return evidence;
    const where = `trial ${evidence.run}/${evidence.trial}`;
    return { ...evidence, vector: Array.from(unitVector(evidence.vector, this.#kind.dimensions, where)) };
  }

  async #situationsOf(
    fresh: readonly { readonly evidence: Observation | Outcome }[],
  ): Promise<Map<string, SituationRow>> {
    const keys = new Map(
      fresh.map(({ evidence }) => {
        const key = this.#situationKey(evidence);
        return [situationKey(key), key] as const;
      }),
    );
    const rows = await this.#tables.situations([...keys.values()]);
    return new Map(rows.map((row) => [situationKey(row), row]));
  }

  #situationKey({ run, workload, variant, point }: Observation | Outcome): SituationKey {
    return { machine: (this.#runs.get(run) as KnownRun).machine, workload, variant, point };
  }

  #machine(machine: Machine, changes: Draft): number {
    const identity = canonicalJson(machine);
    const known = this.#machines.get(identity);
    if (known !== undefined) return known;
    const id = ++this.#last.machine;
    this.#machines.set(identity, id);
    changes.machines.push({ id, machine });
    return id;
  }

  #policy(name: string, changes: Draft): number {
    const known = this.#policies.get(name);
    if (known !== undefined) return known;
    const id = ++this.#last.policy;
    this.#policies.set(name, id);
    changes.policies.push({ id, name });
    return id;
  }

  async #place(
    evidence: Observation,
    digest: string,
    key: TrialKey,
    situation: SituationRow,
    policy: number,
    changes: Draft,
  ): Promise<ObservationRow> {
    const vector = Float32Array.from(evidence.vector);
    let cells = this.#cells.get(situation.machine);
    if (cells === undefined) {
      cells = [...(await this.#tables.cells(situation.machine))];
      this.#cells.set(situation.machine, cells);
    }
    const near = cellFor(cells, vector);
    const cell: Cell =
      near === undefined
        ? { id: ++this.#last.cell, machine: situation.machine, leader: vector, radius: 0, size: 1 }
        : {
            ...near.cell,
            // A little more than what was computed: a search must not lose a member to rounding.
            radius: Math.max(near.cell.radius, chord(near.cell.leader, vector) + 1e-6),
            size: near.cell.size + 1,
          };
    const at = near === undefined ? cells.length : cells.indexOf(near.cell);
    cells[at] = cell;
    changes.cells.set(cell.id, cell);
    return { ...key, cell: cell.id, situation: situation.id, policy, vector, evidence, digest };
  }
}

function withSummary(situation: SituationRow, outcome: Outcome): SituationRow {
  const { summaries } = situation;
  const known = summaries.find(({ policy }) => policy === outcome.policy) ?? emptySummary(outcome.policy);
  const others = summaries.filter(({ policy }) => policy !== outcome.policy);
  return { ...situation, summaries: [...others, withOutcome(known, outcome)] };
}

function contradiction(what: string): PmvxError {
  return new PmvxError(ExitCode.usage, {
    where: what,
    what: 'the map has this evidence already, and it says something else there',
    next: 'Two different runs have one name, or the record was changed: evidence is never overwritten. Learn it under another run id, or into another map',
  });
}

/** {@link Changes} while they are collected; only the last state of a situation or cell is written. */
class Draft {
  readonly machines: { id: number; machine: Machine }[] = [];
  readonly runs: (KnownRun & { evidence: RunEvidence })[] = [];
  readonly policies: { id: number; name: string }[] = [];
  readonly situations = new Map<string, SituationRow>();
  readonly cells = new Map<number, Cell>();
  readonly observations: ObservationRow[] = [];
  readonly outcomes: OutcomeRow[] = [];

  finished(): Changes {
    return { ...this, situations: [...this.situations.values()], cells: [...this.cells.values()] };
  }
}
