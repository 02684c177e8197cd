// SPDX-License-Identifier: Apache-2.0
import { EEVDF, type GuardRule, type Health } from '../contracts.ts';

/** All that the guard remembers. Plain data: it is written to disk, and read by the next daemon. Times: ns, monotonic. */
export interface GuardState {
  /** Why the kill switch is latched, until somebody says `resume`. */
  readonly killed?: string | undefined;
  /** Somebody else's scheduler that is there. */
  readonly aside?: string | undefined;
  readonly policy: string;
  /** When the policy came into effect; undefined: before anything was switched. */
  readonly sinceNs?: number | undefined;
  /** Nothing is switched before. */
  readonly notBeforeNs?: number | undefined;
  /** Who was named by the last windows, and by how many in a row. */
  readonly candidate?: { readonly policy: string; readonly windows: number } | undefined;
  /** Switches of the last hour, oldest first. */
  readonly switchesNs: readonly number[];
  readonly quarantine: readonly Quarantined[];
  /** What a switch costs, ns: the largest of the last ones, forgotten slowly. Undefined: none was measured. */
  readonly costNs?: number | undefined;
  /** Windows of the present policy, newest last: what a switch is compared with. */
  readonly recent: readonly Seen[];
  readonly watch?: Watch | undefined;
  /** What a policy that is no longer watched closely must not fall below, as long as it is in effect. */
  readonly floor?: Watch | undefined;
  /** Windows in a row in which nothing was seen of how the machine fares. */
  readonly blind?: number | undefined;
  /** A way home that was decided and has not come to its end: it is tried again until the kernel agrees. */
  readonly leaving?: { readonly rule: GuardRule; readonly because: string } | undefined;
  /** Policies that came into effect in the last hour, oldest first: who returns stays longer. */
  readonly arrivals?: readonly { readonly policy: string; readonly atNs: number }[] | undefined;
  /** A policy that was applied from outside, and until when the map is not asked. */
  readonly held?: { readonly policy: string; readonly untilNs?: number | undefined } | undefined;
}

export interface Seen {
  readonly health: Health;
  readonly vector?: readonly number[] | undefined;
}

/** A switch whose effect is watched. */
export interface Watch {
  readonly from: string;
  readonly before: readonly Health[];
  readonly vector?: readonly number[] | undefined;
  /** What the map predicted at worst, as cost over what was before; 1 where it predicted nothing. */
  readonly predicted: number;
  readonly after: readonly Health[];
  readonly windows: number;
}

export interface Quarantined {
  readonly policy: string;
  readonly version: string;
  readonly kernel: string;
  readonly untilNs: number;
  /** How often it was sent here. */
  readonly times: number;
  readonly why: string;
}

export const INITIAL: GuardState = {
  policy: EEVDF,
  switchesNs: [],
  quarantine: [],
  recent: [],
};
