// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { HeldProgram, type HeldState } from '../../../bpf/napi/index.js';
import { shortDigest } from '../../core/ids.ts';
import type { Held, Holder, Prepared } from './holder.ts';
import type { Keeper } from './keeper.ts';

export interface ProcessOptions {
  readonly argv: readonly string[];
  readonly ops: string;
  /** Told of each child, so that one that outlives its daemon is found. */
  readonly started: (pid: number) => void;
  readonly ended: (pid: number) => void;
  /** Ends it when this process does, hangs or is told to stop. */
  readonly keeper?: Keeper | undefined;
}

const POLL_MS = 2;
/** Between SIGINT, at which a scheduler detaches in order, and SIGKILL. */
const STOP_MS = 150;
const { SIGINT, SIGKILL } = constants.signals;

/** The daemon has a real-time priority, and all of its threads with it (systemd/); a scheduler's program is an ordinary one, as by hand. */
const ORDINARY = ['/usr/bin/chrt', '--other', '0'];

/**
 * A scheduler that a program of its own loads and holds. It is started while another one is in effect, and stopped right before it
 * attaches; the kernel ends it with the daemon, however the daemon ends.
 */
export function processHolder(options: ProcessOptions): Holder {
  const { argv, ops, started, ended, keeper } = options;
  const { size, mtimeMs } = statSync(argv[0] as string);
  return {
    kind: 'process',
    version: shortDigest(JSON.stringify([argv, size, mtimeMs])),
    async prepare(signal): Promise<Prepared> {
      const program = HeldProgram.start([...ORDINARY, ...argv]);
      const { pid } = program.state;
      const discard = async () => {
        await endProgram(program);
        ended(pid);
      };
      try {
        started(pid);
        await keeper?.holdProcess(pid);
        while (program.state.stage === 'starting') await delay(POLL_MS, undefined, { signal });
      } catch (error) {
        await discard();
        const why = signal.aborted ? 'it was stopped before it came to attach' : (error as Error).message;
        throw new Error(`${why}. It said: ${lastWords(program.state)}`);
      }
      if (program.state.stage === 'ended') {
        ended(pid);
        throw new Error(endOf(program.state));
      }
      return {
        discard,
        take: async () => {
          program.release();
          return heldProgram(program, ops, async () => {
            // When it has let go the kernel says; its end may take longer.
            discard().catch(() => undefined);
          });
        },
      };
    },
  };
}

function heldProgram(program: HeldProgram, ops: string, release: () => Promise<void>): Held {
  return {
    ops,
    ended: () => (program.state.stage === 'ended' ? endOf(program.state) : undefined),
    proof: () => `process ${program.state.pid} holds it`,
    release,
  };
}

/** As Ctrl-C: schedulers detach, print their figures and end. */
async function endProgram(program: HeldProgram): Promise<void> {
  program.kill(SIGINT);
  // One that has not attached yet sleeps in the kernel, and must be let go to see the signal.
  if (program.state.stage === 'waiting') program.kill(SIGKILL);
  for (let left = STOP_MS; program.state.stage !== 'ended' && left > 0; left -= POLL_MS) await delay(POLL_MS);
  program.kill(SIGKILL);
  while (program.state.stage !== 'ended') await delay(POLL_MS);
}

function endOf(state: HeldState): string {
  const { code, signal } = state;
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  const how = signal === undefined ? `exited with status ${code}` : `was killed by ${name ?? signal}`;
  const words = lastWords(state);
  return words === '' ? how : `${how}: ${words}`;
}

function lastWords({ words }: HeldState): string {
  return words.trim().split('\n').slice(-4).join('; ').slice(-800);
}

/** When a process began, in clock ticks since boot (proc(5), field 22): with the pid it names a process for good. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
