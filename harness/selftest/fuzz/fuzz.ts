// SPDX-License-Identifier: Apache-2.0
import { Draw } from '../draw.ts';
import { mutate } from './mutate.ts';
import type { Target } from './target.ts';

/** An input that a reader did not stand. */
export interface FuzzFinding {
  readonly target: string;
  readonly what: string;
  readonly input: Buffer;
}

/** What fuzzing a target came to. */
export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  /** Different outcomes: accepted, and each way to be refused. */
  readonly outcomes: number;
  /** The longest that one input took, ms of processor time. */
  readonly slowestMs: number;
  readonly seconds: number;
  readonly findings: readonly FuzzFinding[];
  /** Inputs that were the first with their outcome, shortest first: worth to be kept. */
  readonly corpus: readonly Buffer[];
}

export interface FuzzPlan {
  readonly seed: number;
  readonly inputs: number;
  /** Inputs kept from earlier. */
  readonly corpus: readonly Buffer[];
  readonly signal: AbortSignal;
  /** Longest processor time of one input. */
  readonly deadlineMs?: number;
}

/** A reader that takes longer for one input could be stopped by it. */
const DEADLINE_MS = 2000;
/** Findings after which a target has had enough. */
const MOST_FINDINGS = 20;
/** Inputs that mutations begin with; more say little more. */
const MOST_KEPT = 400;

/**
 * Gives a target inputs that are made from real ones, and from those that were the first of their outcome. Every input follows from the seed and
 * the corpus alone.
 */
export async function fuzz(target: Target, plan: FuzzPlan): Promise<FuzzReport> {
  const began = performance.now();
  const outcomes = new Map<string, Buffer>();
  const findings: FuzzFinding[] = [];
  const kept: Buffer[] = [...target.seeds, ...plan.corpus];
  let accepted = 0;
  let slowestMs = 0;
  let inputs = 0;

  const give = async (input: Buffer): Promise<void> => {
    inputs++;
    const before = process.cpuUsage();
    let outcome: string;
    try {
      const read = target.read(input);
      outcome = typeof read === 'string' ? read : await read;
    } catch (error) {
      const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (!findings.some(({ what }) => what === words))
        findings.push({ target: target.name, what: words, input });
      return;
    }
    // Of the processor: a busy host makes everything slow.
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > (plan.deadlineMs ?? DEADLINE_MS))
      findings.push({ target: target.name, what: `took ${ms.toFixed(0)} ms`, input });
    if (outcome === ACCEPTED) accepted++;
    const first = outcomes.get(outcome);
    if (first === undefined && kept.length < MOST_KEPT) kept.push(input);
    if (first === undefined || input.length < first.length) outcomes.set(outcome, input);
  };

  for (const input of [...kept]) await give(input);
  for (let turn = 0; inputs < plan.inputs && findings.length < MOST_FINDINGS; turn++) {
    if (turn % 1000 === 0) {
      plan.signal.throwIfAborted();
      // Timers, and whoever wants to stop this.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const draw = new Draw(plan.seed, target.name, turn);
    const mutated = mutate(draw.oneOf(kept), draw.oneOf(kept), target.words, draw, target.mostBytes);
    await give(target.seal !== undefined && draw.chance(70) ? target.seal(mutated, draw) : mutated);
  }
  requireUnpolluted();
  return {
    target: target.name,
    inputs,
    accepted,
    outcomes: outcomes.size,
    slowestMs,
    seconds: (performance.now() - began) / 1000,
    findings,
    corpus: [...outcomes.values()].sort((a, b) => a.length - b.length),
  };
}

/** What a target says of an input that it takes. */
export const ACCEPTED = 'accepted';

/** No input may change what all objects share. */
function requireUnpolluted(): void {
  const shared = Object.keys(Object.prototype);
  if (shared.length > 0) throw new Error(`Object.prototype has got ${shared.join(', ')}`);
}
