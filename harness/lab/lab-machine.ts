// SPDX-License-Identifier: Apache-2.0
import type { Seed } from '../core/seed.ts';
import type { Machine } from '../core/spec.ts';
import type { GuestOutcome, Orders, RunResult } from './engine.ts';

const SEED = 7 as Seed;

/** A machine of the exact engine at the highest speed that it has: 1000 million instructions a second over all vCPUs. */
export function exactMachine(vcpus: number, quantum = 5000): Machine {
  return {
    engine: 'exact',
    vcpus,
    memoryMiB: 1024,
    speed: 1000 / vcpus,
    quantum,
    topology: { nodes: 1, sockets: 1, cores: vcpus, threads: 1 },
  };
}

/** What the lab lets a guest do to measure itself: a command under the kernel's own scheduler, no candidates, no warm-up. */
export function labOrders(trial: string, run: readonly string[]): Orders {
  const words = 'the lab itself';
  return {
    trial,
    seed: SEED,
    policy: {
      id: 'eevdf',
      definition: { kind: 'builtin', summary: words, suits: words, weakness: words, source: words },
    },
    candidates: [],
    run,
    deadlineMs: 60_000,
  };
}

/** Guest time that the command took, seconds; undefined when the machine did not end well or the command failed. */
export function virtualSeconds({ ended, frames }: GuestOutcome): number | undefined {
  const frame = frames.find(({ kind }) => kind === 'result');
  if (ended !== 'done' || frame === undefined) return undefined;
  const { exit, timedOut, elapsedNs } = JSON.parse(frame.payload.toString('utf8')) as RunResult;
  return exit === 0 && !timedOut ? elapsedNs / 1e9 : undefined;
}
