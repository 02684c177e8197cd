// SPDX-License-Identifier: Apache-2.0
import { ExitCode } from '../core/errors.ts';
import { specJsonSchema } from '../spec/json-schema.ts';
import type { Command } from './context.ts';

/** `pmvx schema`: prints the JSON Schema of a spec, for editors. */
export const schemaCommand: Command<object> = async (_args, context) => {
  context.write(JSON.stringify(specJsonSchema(), null, 2));
  return ExitCode.ok;
};
