// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { ControlRefusal } from '../daemon/control-client.ts';

/** An error that an agent can act on: a word that programs compare, what is wrong, and what to do about it. */
export interface Failure {
  readonly code: string;
  readonly what: string;
  readonly next?: string;
}

/** What a tool throws when it will not or cannot do what it was asked to. */
export class ToolError extends Error {
  readonly failure: Failure;

  constructor(code: string, what: string, next?: string) {
    super(what);
    this.failure = { code, what, ...(next === undefined ? {} : { next }) };
  }
}

const CODES: Readonly<Record<ExitCode, string>> = {
  [ExitCode.ok]: 'internal',
  [ExitCode.failure]: 'internal',
  [ExitCode.usage]: 'bad-params',
  [ExitCode.environment]: 'environment',
  [ExitCode.image]: 'image',
  [ExitCode.incomplete]: 'incomplete',
  [ExitCode.regression]: 'internal',
  [ExitCode.interrupted]: 'stopped',
};

/** Whatever was thrown, as a failure. A refusal of the daemon keeps the daemon's own code. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ToolError) return error.failure;
  if (error instanceof PmvxError) {
    const [first] = error.faults;
    const where = first?.where === undefined ? '' : `${first.where}: `;
    const more = error.faults.length > 1 ? `; and ${error.faults.length - 1} more faults` : '';
    return {
      code: error instanceof ControlRefusal ? error.reason : CODES[error.code],
      what: `${where}${first?.what ?? error.message}${more}`,
      ...(first?.next === undefined ? {} : { next: first.next }),
    };
  }
  return { code: 'internal', what: error instanceof Error ? error.message : String(error) };
}
