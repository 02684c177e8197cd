// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Command } from './context.ts';

// Stand-ins until doctor.ts and image.ts are there.
const absent = async (): Promise<ExitCode> => {
  throw new PmvxError(ExitCode.environment, {
    what: 'this version has no lab yet',
    next: 'Try a spec with `pmvx run SPEC --engine mock`.',
  });
};

export const doctorCommand: Command<{ readonly json: boolean }> = absent;
export const imageBuildCommand: Command<{ readonly recipe: string }> = absent;
export const imageVerifyCommand: Command<{ readonly recipe: string }> = absent;
export const imageSelftestCommand: Command<{ readonly recipe: string }> = absent;
