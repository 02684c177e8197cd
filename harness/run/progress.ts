// SPDX-License-Identifier: Apache-2.0

import { printable } from '../core/printable.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { RunEvent } from './events.ts';
import { formatDuration, timeLeft } from './time-left.ts';

/** Paints a word by what it says; the identity where colours are off. */
export type Paint = (tone: 'good' | 'bad' | 'odd' | 'faint', text: string) => string;

interface Running {
  readonly planned: PlannedTrial;
  readonly since: number;
}

/** What is known of a run at one moment, and how to say it in lines. Time is seconds of any steady clock. */
export class Progress {
  readonly #paint: Paint;
  readonly #trials: readonly PlannedTrial[];
  readonly #jobs: number;
  readonly #width: number;
  readonly #running = new Map<string, Running>();
  readonly #ended: { key: string; seconds: number }[] = [];
  readonly #recorded = new Set<string>();

  constructor(trials: readonly PlannedTrial[], jobs: number, paint: Paint) {
    this.#paint = paint;
    this.#trials = trials;
    this.#jobs = jobs;
    this.#width = String(trials.length).length;
  }

  /** Takes note of an event; the line to print for it, or undefined for one that only changes the status. */
  note(event: RunEvent, at: number): string | undefined {
    switch (event.kind) {
      case 'begun':
        for (const record of event.recorded) this.#count(record);
        return event.recorded.length === 0
          ? undefined
          : `${event.recorded.length} of ${event.total} trials are recorded already`;
      case 'started':
        this.#running.set(event.planned.trial, { planned: event.planned, since: at });
        return undefined;
      case 'lost': {
        const then = event.again ? 'once more' : 'left without a record';
        if (!event.again) this.#running.delete(event.planned.trial);
        return `${this.#place()}  ${this.#what(event.planned)}  ${this.#paint('odd', 'VM lost')}: ${printable(event.cause)}; ${then}`;
      }
      case 'recorded':
        this.#running.delete(event.planned.trial);
        this.#count(event.record);
        return `${this.#place()}  ${this.#what(event.planned)}  ${this.#outcome(event.record)}`;
    }
  }

  /** One line about now, for a terminal: what is running and how long the rest may take. */
  status(at: number): string {
    const running = [...this.#running.values()].map(
      ({ planned, since }) => `${planned.policy} ${planned.workload} ${formatDuration(at - since)}`,
    );
    const left = this.secondsLeft(at);
    const rest = left === undefined ? '' : `  about ${formatDuration(left)} left`;
    return `${this.#place()}${rest}  running: ${running.join(', ') || 'none'}`;
  }

  /** Expected seconds until the last trial ends; undefined before the first has ended. */
  secondsLeft(at: number): number | undefined {
    const open = this.#trials
      .filter(({ trial }) => !this.#recorded.has(trial))
      .map(({ trial, workload }) => {
        const since = this.#running.get(trial)?.since;
        return { key: workload, spent: since === undefined ? 0 : at - since };
      });
    return timeLeft(this.#ended, open, this.#jobs);
  }

  #count(record: TrialRecord): void {
    this.#recorded.add(record.trial);
    this.#ended.push({ key: record.workload, seconds: record.host.seconds });
  }

  #place(): string {
    return `[${String(this.#recorded.size).padStart(this.#width)}/${this.#trials.length}]`;
  }

  #what(planned: PlannedTrial): string {
    const policies = Math.max(...this.#trials.map(({ policy }) => policy.length));
    const inRuns = this.#trials.some(({ point }) => point !== 'quiescent');
    const name = ({ workload, point }: PlannedTrial) => (inRuns ? `${workload} at ${point}` : workload);
    const workloads = Math.max(...this.#trials.map((each) => name(each).length));
    const role = planned.role === 'aa' ? ' (a/a)' : '';
    return `block ${planned.block}  ${planned.policy.padEnd(policies)}  ${name(planned).padEnd(workloads)}${role}`;
  }

  #outcome(record: TrialRecord): string {
    const took = this.#paint('faint', `(${formatDuration(record.host.seconds)})`);
    if (record.state === 'completed') {
      const first = record.metrics.find((metric) => metric.primary) ?? record.metrics[0];
      const value =
        first === undefined
          ? ''
          : `  ${printable(first.name)} ${Number(first.value.toPrecision(4))} ${printable(first.unit)}`;
      return `${this.#paint('good', 'completed')}${value}  ${took}`;
    }
    // A policy that the kernel refused or ejected is a finding; the rest went wrong.
    const tone = record.state === 'refused' || record.state === 'ejected' ? 'odd' : 'bad';
    const log = record.host.log === undefined ? '' : `; log: ${record.host.log}`;
    return `${this.#paint(tone, record.state)}: ${printable(record.reason)}${printable(log)}  ${took}`;
  }
}
