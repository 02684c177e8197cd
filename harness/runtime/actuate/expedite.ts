// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import type { Keeper, Ward } from './keeper.ts';
import { restoreSettings, type SavedSetting } from './knob.ts';
import { readSetting, writeSetting } from './setting.ts';

/** Whether grace periods of RCU are to be as short as can be, at the price of interrupts (Documentation/RCU, kernel-parameters.txt). */
const RCU_EXPEDITED = '/sys/kernel/rcu_expedited';

/**
 * Disabling and enabling a scheduler waits for grace periods of RCU several times: most of the gap of a switch is this waiting. While one
 * is made they are hurried, and what was set before comes back. Undefined where the kernel has no such setting.
 */
export function rcuExpediter(
  save: (settings: readonly SavedSetting[]) => Promise<void>,
  keeper?: Keeper,
  path = RCU_EXPEDITED,
): (() => () => void) | undefined {
  try {
    accessSync(path, constants.W_OK);
  } catch {
    return undefined;
  }
  return () => {
    const before = readSetting(path);
    if (before !== '0') return () => undefined;
    const setting = { path, before, ours: '1' };
    // A switch is not held up by a disk: the guardian is who restores it.
    save([setting]).catch(() => undefined);
    const ward = keeper?.holdSetting(setting).catch(() => undefined);
    const done = () => {
      if (restoreSettings([setting]).length > 0) return;
      ward?.then((held: Ward | undefined) => held?.drop()).catch(() => undefined);
      save([]).catch(() => undefined);
    };
    try {
      writeSetting(path, '1');
    } catch {
      // A switch that takes longer is a switch all the same.
      done();
      return () => undefined;
    }
    return done;
  };
}
