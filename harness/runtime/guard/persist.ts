// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type GuardState, INITIAL } from './state.ts';

/** What outlives a daemon: nobody gets more switches, or a policy out of quarantine, by a restart. Times are left, ms, of when it was written. */
const Kept = z.object({
  v: z.literal(1),
  boot: z.string(),
  atNs: z.number(),
  /** Since the last change of policy, ms; absent: there was none. */
  sinceMs: z.number().optional(),
  notBeforeMs: z.number().optional(),
  switchesMs: z.array(z.number()),
  arrivals: z.array(z.object({ policy: z.string(), agoMs: z.number() })).optional(),
  costNs: z.number().optional(),
  quarantine: z.array(
    z.object({
      policy: z.string(),
      version: z.string(),
      kernel: z.string(),
      leftMs: z.number(),
      times: z.number(),
      why: z.string(),
    }),
  ),
});

/** For the state file. `boot` names the life of the kernel, whose monotonic clock `nowNs` is of. */
export function keepGuard(state: GuardState, boot: string, nowNs: number): z.infer<typeof Kept> {
  const ago = (ns: number) => (nowNs - ns) / 1e6;
  return {
    v: 1,
    boot,
    atNs: nowNs,
    ...(state.sinceNs === undefined ? {} : { sinceMs: ago(state.sinceNs) }),
    ...(state.notBeforeNs === undefined ? {} : { notBeforeMs: -ago(state.notBeforeNs) }),
    switchesMs: state.switchesNs.map(ago),
    ...(state.arrivals === undefined
      ? {}
      : { arrivals: state.arrivals.map(({ policy, atNs }) => ({ policy, agoMs: ago(atNs) })) }),
    ...(state.costNs === undefined ? {} : { costNs: state.costNs }),
    quarantine: state.quarantine.map(({ untilNs, ...entry }) => ({ ...entry, leftMs: -ago(untilNs) })),
  };
}

/**
 * The state of a new daemon from what an earlier one kept. In another boot nobody knows how long the machine was off, so that time does
 * not count: no clock that can be set is asked.
 */
export function recallGuard(kept: unknown, boot: string, nowNs: number): GuardState {
  const { data } = Kept.safeParse(kept);
  if (data === undefined) return INITIAL;
  // In the same boot the monotonic clock went on; a file from its future is not believed, and counts from now.
  const passedMs = data.boot === boot ? Math.max(0, (nowNs - data.atNs) / 1e6) : 0;
  const at = (ms: number) => nowNs - (ms + passedMs) * 1e6;
  return {
    ...INITIAL,
    ...(data.sinceMs === undefined ? {} : { sinceNs: at(data.sinceMs) }),
    ...(data.notBeforeMs === undefined ? {} : { notBeforeNs: at(-data.notBeforeMs) }),
    switchesNs: data.switchesMs.map(at),
    ...(data.arrivals === undefined
      ? {}
      : { arrivals: data.arrivals.map(({ policy, agoMs }) => ({ policy, atNs: at(agoMs) })) }),
    ...(data.costNs === undefined ? {} : { costNs: data.costNs }),
    quarantine: data.quarantine.map(({ leftMs, ...entry }) => ({ ...entry, untilNs: at(-leftMs) })),
  };
}
