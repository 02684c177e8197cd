// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import { canonicalJson, shortDigest } from '../../harness/core/ids.ts';
import type { EngineName, TrialState } from '../../harness/core/trial.ts';

/** What a policy is judged by: `primary` is each workload's own metric; the others are as in `analysis/objectives`. */
export const OBJECTIVES = ['primary', 'time', 'tail', 'energy'] as const;
export type Objective = (typeof OBJECTIVES)[number];

/** What must be equal for evidence to speak about a machine: a figure from another kernel or other topology is about that one. */
export interface Machine {
  readonly engine: EngineName;
  /** Release, as `uname -r` says it. */
  readonly kernel: string;
  readonly nodes: number;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  /** Model name of the processor; on `exact`, where there is none, the speed of a vCPU such as `250 MIPS`. */
  readonly cpu: string;
}

/** Where evidence comes from. A run is measured on one machine. */
export interface RunEvidence {
  readonly kind: 'run';
  readonly run: string;
  readonly machine: Machine;
  /** SHA-256 or short digest of the image; absent where there is none. */
  readonly image?: string;
  /** Digest of the definitions of policies and workloads, as in `provenance.json`. */
  readonly definitions?: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

interface TrialEvidence {
  readonly run: string;
  readonly trial: string;
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly policy: string;
  /** When the trial began, ISO 8601, UTC. */
  readonly at: string;
}

/** How the system looked while a trial ran under `policy`. */
export interface Observation extends TrialEvidence {
  readonly kind: 'observation';
  /** Number of the window from 0, of the first where several are taken as one; -1 is the whole run. */
  readonly window: number;
  /** Unit length, as many numbers as the map has dimensions. */
  readonly vector: readonly number[];
}

/** What came of a trial, beside the baseline's trial of the same block. */
export interface Outcome extends TrialEvidence {
  readonly kind: 'outcome';
  /** Trial of the baseline; absent when it did not complete: then there are no costs. */
  readonly baseline?: string;
  readonly block: number;
  readonly seed: number;
  readonly state: TrialState;
  /** The trial did not complete, and the baseline did or the kernel blames the policy. */
  readonly failed: boolean;
  /** Natural logarithm of cost over the baseline's cost; below 0 is better. Only what was measured. */
  readonly logCosts: Readonly<Partial<Record<Objective, number>>>;
}

/** What a policy map is made of. Each has a key (run; run and trial; run, trial and window) under which it is learnt once. */
export type Evidence = RunEvidence | Observation | Outcome;

/** Names the content of one piece of evidence: equal evidence has equal digests. */
export function evidenceDigest(evidence: Evidence): string {
  return shortDigest(canonicalJson(evidence));
}

/** `exact, kernel 7.3.4, 1 node, 1 socket, 4 cores, 1 thread, 250 MIPS`. */
export function describeMachine(machine: Machine): string {
  const { engine, kernel, nodes, sockets, cores, threads, cpu } = machine;
  return `${engine}, kernel ${kernel}, ${nodes}x${sockets}x${cores}x${threads} (nodes, sockets a node, cores, threads), ${cpu}`;
}

/** The members in which two machines differ, in words; empty when evidence from one speaks about the other. */
export function machineDifferences(wanted: Machine, known: Machine): string[] {
  const members = ['engine', 'kernel', 'nodes', 'sockets', 'cores', 'threads', 'cpu'] as const;
  return members
    .filter((member) => wanted[member] !== known[member])
    .map((member) => `${member} ${known[member]}, not ${wanted[member]}`);
}
