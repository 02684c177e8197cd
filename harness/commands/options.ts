// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';
import { parseShard } from '../plan/shard.ts';
import { FAIL_ON_STATES } from '../run/exit-code.ts';

/** How many VMs run at once. */
export function jobsOption(): Option {
  return numberOption('--jobs <n>', 'VMs at once; default: the number of cores', 1, 1024);
}

/** An option that takes per cent, from 0 to 100. */
export function percentOption(flags: string, about: string): Option {
  return new Option(flags, about).argParser((text) => {
    const number = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || number > 100) {
      throw new InvalidArgumentError('Give a number of per cent from 0 to 100, like 2 or 0.5.');
    }
    return number;
  });
}

/** Which of several hosts this one is. */
export function shardOption(): Option {
  return new Option(
    '--shard <i/n>',
    'only the blocks of host i of n; `pmvx merge` puts the runs together',
  ).argParser((text) => {
    const shard = parseShard(text);
    if (shard === undefined) throw new InvalidArgumentError('Give i/n with i from 1 to n, like 2/8.');
    return shard;
  });
}

/** Which ends of trials make a command fail, beside those that always do. */
export function failOnOption(): Option {
  return new Option(
    '--fail-on <kinds>',
    `exit code 5 also when a trial ended so; of ${FAIL_ON_STATES.join(', ')}`,
  ).argParser((text) => {
    const kinds = text.split(',').map((kind) => kind.trim());
    const unknown = kinds.filter((kind) => !FAIL_ON_STATES.some((state) => state === kind));
    if (unknown.length > 0) {
      const named = unknown.map((kind) => JSON.stringify(kind)).join(', ');
      throw new InvalidArgumentError(
        `No trial ends as ${named}. Give some of ${FAIL_ON_STATES.join(', ')}, with commas between them.`,
      );
    }
    return kinds;
  });
}

/** An option that takes a whole number within bounds, both allowed. */
export function numberOption(flags: string, about: string, least: number, most: number): Option {
  return new Option(flags, about).argParser((text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return number;
  });
}
