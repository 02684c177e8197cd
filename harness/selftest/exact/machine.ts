// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyDefinition } from '../../core/policy.ts';
import type { GuestOutcome, Orders } from '../../lab/engine.ts';
import { forkEngine } from '../../lab/fork/fork-engine.ts';
import type { ForkLab } from '../../lab/fork/fork-point.ts';
import { exactMachine, labOrders } from '../../lab/lab-machine.ts';
import type { HostPlay } from '../../lab/machine-process.ts';
import { lastPart } from '../../lab/self-test/fork-proof.ts';
import { vmEngine } from '../../lab/vm-engine.ts';
import type { Draw } from '../draw.ts';
import type { Lived, Trial } from './storm.ts';

const words = { summary: 'the lab itself', suits: '', weakness: '', source: '' };
const SCX_SIMPLE: PolicyDefinition = {
  kind: 'process',
  ...words,
  argv: ['/opt/pmvx/sched/scx_simple'],
  ops: 'simple',
};

/**
 * Runs a trial's machine, disturbed as its kind says where there is a draw, and reads what it can be compared by. What it said stays in
 * `folder` until the caller removes it.
 */
export async function runMachine(
  lab: ForkLab,
  trial: Trial,
  folder: string,
  signal: AbortSignal,
  draw?: Draw,
): Promise<Lived> {
  await mkdir(folder, { recursive: true });
  let hash = '';
  const onHash = (text: string) => {
    hash = text.trim();
  };
  const over = new AbortController();
  let strike: Promise<number> | undefined;
  const { kind } = trial;
  const play: HostPlay =
    draw === undefined
      ? {}
      : {
          ...kind.start?.(draw),
          onStarted: (pid) => {
            strike = kind.strike?.({ pid, draw, done: AbortSignal.any([over.signal, signal]) });
            // Whoever waits for it hears of it.
            strike?.catch(() => undefined);
          },
        };
  const engine =
    trial.from === 'fork'
      ? forkEngine(lab, { onHash, play })
      : vmEngine('exact', lab.image, { hostDeadlineMs: lab.hostDeadlineMs, onHash, play });
  const machine = exactMachine(trial.vcpus);
  let outcome: GuestOutcome;
  let struck = 0;
  try {
    outcome = await engine.runTrial(ordersOf(trial), machine, join(folder, 'machine'), signal);
  } finally {
    over.abort();
    struck = (await strike) ?? 0;
  }
  const frames = outcome.frames.map(({ kind: name, guestNs, payload }) => ({
    name,
    guestNs: String(guestNs),
    payload: payload.toString('utf8'),
  }));
  const lived: Lived = {
    ended: outcome.ended,
    hash: lastPart(`trial ${trial.index}`, hash),
    transcript: outcome.transcript,
    result: frames.find(({ name }) => name === 'result')?.payload ?? '',
    events: kind.start !== undefined && draw !== undefined ? 1 + struck : struck,
    ...(outcome.cause === undefined ? {} : { cause: outcome.cause.slice(0, 1000) }),
  };
  if (draw === undefined) requireGood(trial, lived);
  await writeFile(join(folder, 'frames.json'), JSON.stringify(frames, undefined, 1));
  await writeFile(join(folder, 'lived.json'), JSON.stringify({ ...lived, whole: hash }, undefined, 1));
  await rm(join(folder, 'machine'), { recursive: true, force: true });
  return lived;
}

/** A program that fails, or is not there, would be the same however it is disturbed. */
function requireGood({ guest, vcpus, policy }: Trial, { ended, result, cause }: Lived): void {
  const { exit } = JSON.parse(result || '{}') as { readonly exit?: number };
  if (ended === 'done' && exit === 0) return;
  throw new Error(
    `${guest.name} with ${vcpus} vCPUs under ${policy}, undisturbed: ${cause ?? `exit status ${exit ?? 'missing'}`}`,
  );
}

function ordersOf({ index, guest, vcpus, policy }: Trial): Orders {
  const held = { id: 'scx_simple', definition: SCX_SIMPLE };
  const orders = labOrders(`trial-${index}`, guest.command(vcpus));
  return {
    ...orders,
    ...(policy === 'eevdf' ? {} : { policy: held }),
    // The same for all, so that one machine is the start of all forks with as many vCPUs.
    candidates: [held],
  };
}
