// SPDX-License-Identifier: Apache-2.0
import type { GuardianKeeper, WentHome } from '../actuate/guardian.ts';
import type { Actuator } from '../contracts.ts';
import type { Daemon } from './daemon.ts';

export interface HeartbeatParts {
  readonly keeper: Pick<GuardianKeeper, 'beat' | 'homes' | 'gone' | 'how'>;
  readonly daemon: Pick<Daemon, 'stuckMs' | 'killNow' | 'note'>;
  readonly actuator: Pick<Actuator, 'dropped'>;
  /** The guardian goes home when it has heard nothing for so long, ms. */
  readonly guardianMs: number;
  /** A loop that comes to no end for so long gives no sign of life, however well its timers run; ms. */
  readonly stuckMs: number;
  /** The guardian is gone, so nobody would go home for the daemon: it ends. */
  readonly lost: (why: string) => void;
}

/** Beats in the time of the guardian, so that it misses none by a hair. */
const BEATS = 3;

/** Has the guardian hear from the loop as long as that comes round, and the daemon hear what the guardian did. */
export function startHeartbeat(parts: HeartbeatParts): {
  readonly listen: () => void;
  readonly stop: () => void;
} {
  const { keeper, guardianMs } = parts;
  const listen = () => {
    for (const home of keeper.homes()) tell(home, parts);
  };
  const turn = () => {
    listen();
    if (keeper.gone) {
      clearInterval(beating);
      parts.actuator.dropped?.('the guardian ended');
      parts.lost('the guardian ended');
      return;
    }
    if (parts.daemon.stuckMs < parts.stuckMs) keeper.beat(guardianMs);
  };
  const beating = setInterval(turn, guardianMs / BEATS);
  turn();
  return { listen, stop: () => clearInterval(beating) };
}

function tell({ cause, why }: WentHome, { daemon, actuator, lost }: HeartbeatParts): void {
  if (cause === 'signal' || cause === 'kill-file') {
    daemon.killNow(why).catch((error: Error) => daemon.note('fault', error.message));
    return;
  }
  actuator.dropped?.(`the guardian went home: ${why}`);
  if (cause === 'ends') lost(why);
}
