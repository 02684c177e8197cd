// SPDX-License-Identifier: Apache-2.0
import { shortDigest } from '../../core/ids.ts';
import type { Held, Holder } from './holder.ts';
import type { Keeper, Ward } from './keeper.ts';
import { readSetting, writeSetting } from './setting.ts';

export interface Setting {
  readonly path: string;
  readonly value: string;
  readonly reads?: string | undefined;
}

/** A setting that this daemon changed. */
export interface SavedSetting {
  readonly path: string;
  readonly before: string;
  /** How it reads since: what reads otherwise was changed by somebody else, and is theirs. */
  readonly ours: string;
}

export interface KnobOptions {
  readonly settings: readonly Setting[];
  /** Keeps what is to be restored where the next daemon finds it: resolves when it is on disk; an empty list: nothing is to be. */
  readonly save: (settings: readonly SavedSetting[]) => Promise<void>;
  /** Restores them when this process ends, hangs or is told to stop; absent: the next daemon does. */
  readonly keeper?: Keeper | undefined;
}

/** Settings of the kernel, under its own scheduler: all are written, or none. */
export function knobHolder({ settings, save, keeper }: KnobOptions): Holder {
  return {
    kind: 'knob',
    version: shortDigest(JSON.stringify(settings)),
    prepare: async () => {
      // A setting that cannot be read cannot be restored either.
      for (const { path } of settings) readSetting(path);
      return {
        take: async () => {
          const saved = settings.map(({ path, value, reads = value }) => ({
            path,
            before: readSetting(path),
            ours: reads,
          }));
          await save(saved);
          const wards: Ward[] = [];
          const held = heldSettings(saved, wards, save);
          try {
            for (const setting of saved) wards.push(await (keeper?.holdSetting(setting) ?? ownWard(setting)));
            for (const { path, value, reads } of settings) writeSetting(path, value, reads);
          } catch (error) {
            await held.release();
            throw error;
          }
          return held;
        },
        discard: async () => undefined,
      };
    },
  };
}

async function ownWard(setting: SavedSetting): Promise<Ward> {
  return {
    drop: async () => {
      const [fault] = restoreSettings([setting]);
      if (fault !== undefined) throw new Error(fault);
    },
  };
}

function heldSettings(
  saved: readonly SavedSetting[],
  wards: readonly Ward[],
  save: KnobOptions['save'],
): Held {
  return {
    ended: () => {
      const other = saved.find(({ path, ours }) => readSetting(path) !== ours);
      return other && `${other.path} reads ${JSON.stringify(readSetting(other.path))}, not ${other.ours}`;
    },
    proof: () => saved.map(({ path }) => `${path} reads ${readSetting(path)}`).join(', '),
    release: async () => {
      const dropped = await Promise.allSettled(wards.toReversed().map((ward) => ward.drop()));
      const faults = dropped.flatMap((each) => (each.status === 'rejected' ? [each.reason.message] : []));
      if (faults.length > 0) throw new Error(faults.join('; '));
      // They are restored: that the disk does not take this is told by whoever keeps it, and undoes nothing.
      save([]).catch(() => undefined);
    },
  };
}

/** Puts settings back, last first, as far as they still read as they were left; what cannot be put back, in words. */
export function restoreSettings(saved: readonly SavedSetting[]): string[] {
  return saved.toReversed().flatMap(({ path, before, ours }) => {
    try {
      if (readSetting(path) === ours && ours !== before) writeSetting(path, before);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}
