// SPDX-License-Identifier: Apache-2.0
/** Exit codes of every command; documented in the README. */
export const ExitCode = {
  ok: 0,
  /** Something broke that is not covered below. */
  failure: 1,
  /** The input (spec, option, file) is wrong; nothing was run. */
  usage: 2,
  /** The machine lacks something that the command needs (package, disk, network). */
  environment: 3,
  /** An image is missing, corrupt or failed its self-test. */
  image: 4,
  /** The run ended, and some trial failed, timed out or crashed, or ended as `--fail-on` names, none completed, or `maxFailures` stopped it. */
  incomplete: 5,
  /** A comparison found that something became worse. */
  regression: 6,
  /** Stopped by Ctrl-C or SIGTERM; the run can be resumed. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface Fault {
  /** `file:line:col`, a path or a name. */
  readonly where?: string;
  /** What is wrong, with the value seen. */
  readonly what: string;
  /** What the user can do about it. */
  readonly next?: string;
}

/** An error that a user can act on. Only `cli.ts` turns it into an exit code. */
export class PmvxError extends Error {
  readonly code: ExitCode;
  readonly faults: readonly Fault[];

  constructor(code: ExitCode, faults: Fault | readonly Fault[], options?: ErrorOptions) {
    const list = Array.isArray(faults) ? (faults as readonly Fault[]) : [faults as Fault];
    super(list.map(formatFault).join('\n'), options);
    this.name = 'PmvxError';
    this.code = code;
    this.faults = list;
  }
}

/** One line a fault: `where: what. next`. */
export function formatFault(fault: Fault): string {
  const where = fault.where === undefined ? '' : `${fault.where}: `;
  const next = fault.next === undefined ? '' : `. ${fault.next}`;
  return `${where}${fault.what}${next}`;
}
