// SPDX-License-Identifier: Apache-2.0
import type { Policy } from './policy.ts';

/** A scheduler's process, which loads its programs and then waits to attach them. */
export interface HeldProgram {
  /** Program path in the guest, then its arguments. */
  readonly argv: readonly string[];
  /** The kernel's name for the scheduler, or its beginning and `*`. */
  readonly ops: string;
}

const LOADER = '/opt/pmvx/bin/struct-ops';

/** The process that holds a policy's scheduler; undefined for policies without one. */
export function heldProgram({ id, definition }: Policy): HeldProgram | undefined {
  switch (definition.kind) {
    case 'process':
      return { argv: definition.argv, ops: definition.ops };
    case 'struct_ops': {
      const constants = Object.entries(definition.constants).map(([name, value]) => `${name}=${value}`);
      return { argv: [LOADER, `/opt/pmvx/sched/${id}.bpf.o`, ...constants.sort()], ops: definition.ops };
    }
    default:
      return undefined;
  }
}

/** Whether the kernel's name for a scheduler is the one that `ops` stands for. */
export function isNamed(ops: string, name: string | undefined): boolean {
  return ops.endsWith('*') ? name?.startsWith(ops.slice(0, -1)) === true : name === ops;
}
