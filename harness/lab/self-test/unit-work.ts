// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { GuestOutcome } from '../engine.ts';
import type { ReadyImage } from '../image.ts';
import type { Shares } from '../shares.ts';

/** Rounds of one piece of unit work: about 72,000 instructions, so that a turn more or less counts little. */
const ROUNDS = 6000;

/** The command that times one piece of work on every vCPU. */
export function unitWork(vcpus: number): readonly string[] {
  return ['/opt/pmvx/bin/unitwork', String(vcpus), String(ROUNDS)];
}

/**
 * The times that a guest printed. A machine that ended without them (killed, stalled, out of memory) proves nothing about the
 * image: that is an error, and no report is kept, so that the next call tests again.
 */
export function requireShares(
  outcome: GuestOutcome,
  vcpus: number,
  image: Pick<ReadyImage, 'manifest'>,
): Shares {
  const output = outputOf(outcome);
  const times = (kind: string): number[] =>
    [...output.matchAll(new RegExp(`^${kind} \\d+ (\\d+)$`, 'gm'))].map((match) => Number(match[1]));
  const [alone, together, unpinned] = [times('alone'), times('together'), times('unpinned')];
  const complete = alone.length === vcpus && together.length === vcpus && unpinned.length === 1;
  if (outcome.ended === 'done' && complete) return { alone, together, unpinned: unpinned[0] as number };
  throw untested(outcome, `a machine of ${vcpus} vCPUs`, 'its times', image);
}

/** A machine that ended without what it was started for. */
export function untested(
  outcome: GuestOutcome,
  machine: string,
  missing: string,
  image: Pick<ReadyImage, 'manifest'>,
): PmvxError {
  const told = [
    outcome.cause,
    outputOf(outcome).slice(0, 200),
    outcome.consoleTail.trim().split('\n').slice(-3).join(' | '),
  ]
    .filter((words) => words !== undefined && words !== '')
    .join('; ');
  const how = outcome.ended === 'deadline' ? 'was stopped at its deadline' : 'ended';
  return new PmvxError(ExitCode.image, {
    where: `image ${image.manifest.recipe}`,
    what: `could not be tested: ${machine} ${how} without ${missing} (${told})`,
    next: `Nothing is decided about the image; run \`./pmvx image selftest ${image.manifest.recipe}\` again`,
  });
}

function outputOf(outcome: GuestOutcome): string {
  return outcome.frames.find(({ kind }) => kind === 'output')?.payload.toString('utf8') ?? '';
}
