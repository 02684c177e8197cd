// SPDX-License-Identifier: Apache-2.0
import type { Evidence, StepEnd } from './evidence.ts';
import { ONLINE_CPUS } from './watched-settings.ts';

/** What the steps of a trial left behind, and CPUs that went. */
export function notesOf({ warm, result, changed = [] }: Evidence): string[] {
  const left = ([step, ended]: readonly [string, StepEnd | undefined]) => {
    if (!ended?.leftover) return [];
    const these = ended.leftover === 1 ? '1 process' : `${ended.leftover} processes`;
    return [`${step} left ${these} behind, killed at its end: ${(ended.names ?? []).join(', ')}`];
  };
  const cpus = changed.find(({ path }) => path === ONLINE_CPUS);
  return [
    ...[['warm-up', warm] as const, ['run', result] as const].flatMap(left),
    ...(cpus === undefined ? [] : [`CPUs online: ${cpus.before} before the run, ${cpus.value} after it`]),
  ];
}
