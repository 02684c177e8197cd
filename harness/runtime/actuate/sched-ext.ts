// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelState } from '../contracts.ts';

const STATES: readonly string[] = ['enabling', 'enabled', 'disabling', 'disabled', 'bypassing'];

/** What the kernel says of sched_ext (Documentation/scheduler/sched-ext.rst). */
export function readSchedExt(folder = '/sys/kernel/sched_ext'): KernelState {
  const state = read(join(folder, 'state'));
  if (state === undefined) return { state: 'absent' };
  const ops = read(join(folder, 'root/ops'));
  const enableSeq = number(read(join(folder, 'enable_seq')));
  const rejected = number(read(join(folder, 'nr_rejected')));
  const switchAll = read(join(folder, 'switch_all'));
  return {
    state: STATES.includes(state) ? (state as KernelState['state']) : 'unknown',
    ...(ops === undefined || ops === '' ? {} : { ops }),
    ...(enableSeq === undefined ? {} : { enableSeq }),
    ...(rejected === undefined ? {} : { rejected }),
    ...(switchAll === undefined ? {} : { switchAll: switchAll === '1' }),
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
