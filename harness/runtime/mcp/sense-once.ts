// SPDX-License-Identifier: Apache-2.0
import { unavailable } from '../../../bpf/napi/index.js';
import type { ProbeSet } from '../../core/probe-counters.ts';
import type { Window } from '../contracts.ts';
import { openHostProbes } from '../host-probes.ts';
import { systemClock } from '../sense/clock.ts';
import { onlineCpus } from '../sense/machine.ts';
import { ProbeSensor } from '../sense/sensor.ts';
import { ToolError } from './failure.ts';

const NEXT = 'Start pmvx autotune, whose windows are then used, or run pmvx mcp as root on a kernel with BTF';

/** One window by probes that are loaded for it and taken away again. Throws ToolError when this machine does not let itself be observed. */
export async function senseOnce(
  options: { readonly sets: readonly ProbeSet[]; readonly objects: string; readonly windowMs: number },
  signal: AbortSignal,
): Promise<Window> {
  const { sets, objects, windowMs } = options;
  const rights =
    process.getuid?.() === 0 ? undefined : 'loading probes needs root, or CAP_BPF and CAP_PERFMON';
  const why = unavailable() ?? rights;
  if (why !== undefined) throw new ToolError('cannot-observe', why, NEXT);
  const sensor = new ProbeSensor({
    sets,
    windowMs,
    cpus: onlineCpus(),
    clock: systemClock,
    open: (set) => openHostProbes([set], { objects }),
  });
  try {
    const [fault] = sensor.faults();
    if (fault !== undefined) throw new ToolError('cannot-observe', fault, NEXT);
    return await sensor.next(signal);
  } finally {
    sensor.close();
  }
}
