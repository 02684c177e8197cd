// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { windowCounters, windowVector } from '../../analysis/features/window-vector.ts';
import { hasKernelBtf, unavailable } from '../../bpf/napi/index.js';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { ProbeSet } from '../core/probe-counters.ts';
import { type HostProbes, openHostProbes } from '../runtime/host-probes.ts';
import { onlineCpus, thisMachine } from '../runtime/sense/machine.ts';
import type { CommandContext } from './context.ts';
import { hostProbeObjects } from './probe-objects.ts';
import type { Asked } from './query-source.ts';

/** What vectors are made of. */
const SETS: readonly ProbeSet[] = ['cpu', 'mem', 'io', 'net'];
/** How long a live query looks, ms, unless it is told. */
export const LIVE_MS = 1000;

/** The vector of this host, observed for so long by probes that are gone afterwards; `unknown` when too little happened. */
export async function askedOfHost(
  ms: number,
  context: Pick<CommandContext, 'env' | 'root' | 'signal'>,
): Promise<Asked> {
  const probes = openProbes(context);
  try {
    const before = probes.read();
    await delay(ms, undefined, { signal: context.signal });
    const vector = windowVector(windowCounters(before, probes.read()), onlineCpus());
    if (vector.kind === 'unknown') return vector;
    return { kind: 'vector', values: vector.values, machine: thisMachine(), where: 'this host' };
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw new PmvxError(ExitCode.interrupted, { what: 'stopped: this host was not observed' });
  } finally {
    probes.close();
  }
}

function openProbes(context: Pick<CommandContext, 'env' | 'root'>): HostProbes {
  const refuse = (what: string, next: string, cause?: unknown) =>
    new PmvxError(
      ExitCode.environment,
      { where: '--live', what: `this host cannot be observed: ${what}`, next },
      { cause },
    );
  const instead = 'ask about a trial (RUN/TRIAL) or a vector (--vector FILE)';
  const lacks = unavailable()?.split('\n');
  if (lacks !== undefined) throw refuse(lacks[0] ?? '', `${lacks[1] ?? 'Mend that'}; or ${instead}`);
  if (!hasKernelBtf())
    throw refuse('its kernel has no BTF (CONFIG_DEBUG_INFO_BTF)', `Boot one that has; or ${instead}`);
  const objects = hostProbeObjects(SETS, context);
  try {
    return openHostProbes(SETS, { objects: objects.folder });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [first = ''] = message.split('\n');
    if (code === 'EPERM' || code === 'EACCES') {
      const next = `Run it as root, or with CAP_BPF and CAP_PERFMON where the kernel is not locked down; or ${instead}`;
      throw refuse(`loading probes is not permitted (${first})`, next, error);
    }
    throw refuse(first, `Use a kernel of 5.16 or later; or ${instead}`, error);
  } finally {
    objects.remove();
  }
}
