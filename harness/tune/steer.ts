// SPDX-License-Identifier: Apache-2.0
import { choresOf } from './guess.ts';
import type { Look } from './look.ts';
import { LIMITS, type Profile } from './profile.ts';

/** Most by which one correction changes a number. */
const MOST_FACTOR = 8;

/**
 * A profile with its chores corrected by what was counted: faults, pages, blocks, children and bytes of packets are rates that follow
 * from one number each. Rounds are corrected, too, so that it lasts as long as it should.
 */
export function steered(
  profile: Profile,
  measured: Look,
  wanted: Look,
  seconds: { readonly lasted: number; readonly lasts: number },
): Profile {
  const chores = profile.findIndex(({ pages, files, reads, forks }) => pages + files + reads + forks > 0);
  const at = chores >= 0 ? chores : choresOf(profile);
  const rate = (look: Look, events: number) => events / look.busy;
  const stretch =
    seconds.lasted > 0 ? Math.min(MOST_FACTOR, Math.max(1 / MOST_FACTOR, seconds.lasts / seconds.lasted)) : 1;
  const group = profile[at] as Profile[number];
  const corrected = (key: 'pages' | 'files' | 'reads' | 'forks', of: (look: Look) => number): number => {
    const lacking = (rate(wanted, of(wanted)) - rate(measured, of(measured))) * measured.busy;
    const more = (1000 * lacking) / group.rounds;
    const most = LIMITS[key][1];
    return Math.min(most, Math.max(0, group[key] + more));
  };
  const files = ({ pages, faults }: Look) => Math.max(0, pages - faults);
  return profile.map((each, index) => {
    const bytes = each.link === 'tcp' ? { bytes: bytesFor(each.bytes, measured, wanted) } : {};
    const rounds = Math.max(1, Math.round(each.rounds * stretch));
    if (index !== at) return { ...each, ...bytes, rounds };
    return {
      ...each,
      ...bytes,
      rounds,
      pages: corrected('pages', ({ faults }) => faults),
      files: corrected('files', files),
      ...(each.device === 'disk' ? {} : { reads: corrected('reads', ({ bios }) => bios) }),
      forks: corrected('forks', ({ forks }) => forks),
    };
  });
}

function bytesFor(bytes: number, measured: Look, wanted: Look): number {
  if (measured.packets === 0 || wanted.packets === 0) return bytes;
  const payload = ({ packets, packetBytes }: Look) => Math.max(1, packetBytes / packets - 52);
  const factor = Math.min(MOST_FACTOR, Math.max(1 / MOST_FACTOR, payload(wanted) / payload(measured)));
  return Math.min(LIMITS.bytes[1], Math.max(1, Math.round(bytes * factor)));
}
