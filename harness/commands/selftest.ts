// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Command } from './context.ts';

export interface SelftestArgs {
  readonly faults?: number;
  readonly fuzz?: number;
  readonly long?: number;
  readonly seed: number;
  readonly exact?: number;
  readonly only?: string;
  readonly jobs?: number;
  readonly out?: string;
}

/** `pmvx selftest`: one trial of the program itself. */
export const selftestCommand: Command<SelftestArgs> = async (args, context) => {
  const { faults, fuzz, long } = args;
  const given = Object.entries({ faults, fuzz, long }).filter(([, count]) => count !== undefined);
  if (given.length > 1) {
    throw new PmvxError(ExitCode.usage, {
      what: `${given.map(([name]) => `--${name}`).join(' and ')} are ${given.length} trials`,
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
  if (long !== undefined) {
    const { longCommand } = await import('./selftest-long.ts');
    return longCommand({ ...args, long }, context);
  }
  throw new PmvxError(ExitCode.usage, {
    what: 'nothing to try',
    next: 'Give --faults N, --fuzz N or --long N; see `pmvx selftest --help`',
  });
};
