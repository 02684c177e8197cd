// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Command } from './context.ts';

export interface SelftestArgs {
  readonly faults?: number;
  readonly fuzz?: number;
  readonly seed: number;
  readonly exact?: number;
  readonly only?: string;
  readonly jobs?: number;
  readonly out?: string;
}

/** `pmvx selftest`: one trial of the program itself. */
export const selftestCommand: Command<SelftestArgs> = async (args, context) => {
  const { faults, fuzz } = args;
  if (faults !== undefined && fuzz !== undefined) {
    throw new PmvxError(ExitCode.usage, {
      what: '--faults and --fuzz are two trials',
      next: 'Give one of them',
    });
  }
  if (fuzz !== undefined) {
    const { fuzzCommand } = await import('./selftest-fuzz.ts');
    return fuzzCommand({ ...args, fuzz }, context);
  }
  if (faults !== undefined) {
    const { faultsCommand } = await import('./selftest-faults.ts');
    return faultsCommand({ ...args, faults }, context);
  }
  throw new PmvxError(ExitCode.usage, {
    what: 'nothing to try',
    next: 'Give --faults N or --fuzz N; see `pmvx selftest --help`',
  });
};
