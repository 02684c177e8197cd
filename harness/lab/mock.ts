// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJson } from '../core/ids.ts';
import type { PolicyDefinition } from '../core/policy.ts';
import type { Machine } from '../core/spec.ts';
import type { SchedExtState } from '../core/trial.ts';
import type { Engine, Frame, FrameKind, GuestOutcome, Orders } from './engine.ts';

/** What a mock guest does with its orders. */
export type MockBehaviour =
  /** Runs to its end: exit status 0 unless told otherwise. Takes `hostMs` of real time. */
  | { readonly kind: 'run'; readonly output: string; readonly exit?: number; readonly hostMs?: number }
  /** The policy never attaches. */
  | { readonly kind: 'refuse'; readonly reason: string; readonly policyLog?: string }
  /** The kernel ejects the scheduler in mid-run; the workload still ends with status 0. */
  | { readonly kind: 'eject'; readonly reason: string; readonly message?: string; readonly output: string }
  /** The agent kills the workload at its deadline. */
  | { readonly kind: 'overrun'; readonly output?: string }
  /** Says nothing after `ready`; ends when aborted. */
  | { readonly kind: 'hang' }
  /** Says nothing after `ready`; the host's deadline ends it. */
  | { readonly kind: 'deadline'; readonly console?: string }
  /** The VM is gone after `attached`. */
  | { readonly kind: 'die'; readonly cause?: string; readonly console?: string }
  /** The agent reports a fault of its own. */
  | { readonly kind: 'error'; readonly reason: string };

/** Decides how the guest with these orders behaves. A pure function gives a deterministic engine. */
export type MockScript = (orders: Orders, machine: Machine) => MockBehaviour;

const OFF: SchedExtState = { state: 'disabled', enableSeq: '0', nrRejected: '0' };

/** An engine without a machine: it sends the frames of a real guest at once. Its numbers measure nothing. */
export function mockEngine(script: MockScript): Engine {
  return {
    name: 'mock',
    async runTrial(orders, machine, folder, signal) {
      signal.throwIfAborted();
      const behaviour = script(orders, machine);
      if (behaviour.kind === 'hang') return await aborted(signal);
      if (behaviour.kind === 'run' && behaviour.hostMs !== undefined) await waitFor(behaviour.hostMs, signal);
      const outcome = mockOutcome(behaviour, orders, machine);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'console.log'), outcome.consoleTail);
      return outcome;
    },
  };
}

/** What a mock guest leaves behind; the same arguments give the same bytes. */
export function mockOutcome(
  behaviour: Exclude<MockBehaviour, { kind: 'hang' }>,
  orders: Orders,
  machine: Machine,
): GuestOutcome {
  const guest = new MockGuest(orders, machine);
  const { definition } = orders.policy;
  const on = stateUnder(definition);
  guest.send('hello', { version: 1, engine: 'mock: not a measurement' });
  guest.send('ready', {});
  switch (behaviour.kind) {
    case 'refuse':
      guest.send('refused', { reason: behaviour.reason });
      return guest.finish(behaviour.policyLog ?? '', '');
    case 'error':
      // The agent powers off at once; what it would have said is missing.
      guest.send('error', { reason: behaviour.reason });
      return guest.end('died', undefined, 'the VM exited with status 0');
    case 'deadline':
      return guest.end('deadline', behaviour.console);
  }
  const inRun = orders.forkAtMs !== undefined;
  if (inRun && orders.warmup !== undefined) guest.sendRun('warm', 0, false, '');
  guest.send('attached', on);
  if (behaviour.kind === 'die') return guest.end('died', behaviour.console, behaviour.cause);
  if (!inRun && orders.warmup !== undefined) guest.sendRun('warm', 0, false, '');
  const output = behaviour.output ?? '';
  guest.sendText('output', output);
  switch (behaviour.kind) {
    case 'run':
      guest.hostMs = behaviour.hostMs ?? 0;
      guest.sendRun('result', behaviour.exit ?? 0, false, output);
      break;
    case 'overrun':
      guest.sendRun('result', 137, true, output);
      break;
    case 'eject':
      guest.sendRun('result', 0, false, output);
      guest.send('after', { ...OFF, enableSeq: '1' });
      return guest.finish('', disabled(on, behaviour.reason, behaviour.message));
  }
  guest.send('after', putBack(on));
  // The agent unregisters the scheduler when all is said, and the kernel notes it.
  return guest.finish('', on.state === OFF.state ? '' : disabled(on, 'unregistered from user space'));
}

function stateUnder(policy: PolicyDefinition): SchedExtState {
  if ('ops' in policy) {
    const ops = policy.ops.replace('*', 'mock');
    return { state: 'enabled', ops, enableSeq: '1', nrRejected: '0', switchAll: '1' };
  }
  if (policy.kind === 'builtin') return OFF;
  const knobs = policy.settings.map(({ path, value, reads = value }) => ({
    path,
    before: 'mock',
    value: reads,
  }));
  return { ...OFF, knobs };
}

/** What the kernel says at the end, when settings have been put back. */
function putBack(state: SchedExtState): SchedExtState {
  if (state.knobs === undefined) return state;
  return { ...state, knobs: state.knobs.map((knob) => ({ ...knob, restored: knob.before })) };
}

/** The kernel's lines when a scheduler leaves, as /dev/kmsg gives them. */
function disabled(was: SchedExtState, reason: string, message?: string): string {
  const line = `3,500,9000000,-;sched_ext: BPF scheduler "${was.ops}" disabled (${reason})\n`;
  return message === undefined ? line : `${line}3,501,9000001,-;sched_ext: ${was.ops}: ${message}\n`;
}

/** Collects frames with a guest clock that depends on the orders alone. */
class MockGuest {
  readonly #frames: Frame[] = [];
  readonly #step: bigint;
  readonly #forkNs: number | undefined;
  #clockNs = 3_000_000_000n;
  /** What the trial takes on the host: as scripted, never measured. */
  hostMs = 0;

  constructor(orders: Orders, machine: Machine) {
    const { run, warmup, seed, policy, forkAtMs } = orders;
    this.#forkNs = forkAtMs === undefined ? undefined : forkAtMs * 1e6;
    const digest = createHash('sha256')
      .update(canonicalJson({ run, warmup, seed, policy, forkAtMs, machine }))
      .digest();
    this.#step = 1_000_000n + BigInt(digest.readUInt32BE(0) % 100_000_000);
  }

  send(kind: FrameKind, payload: object): void {
    this.sendText(kind, JSON.stringify(payload));
  }

  sendText(kind: FrameKind, text: string): void {
    this.#clockNs += this.#step;
    this.#frames.push({ kind, guestNs: this.#clockNs, payload: Buffer.from(text) });
  }

  sendRun(kind: 'warm' | 'result', exit: number, timedOut: boolean, output: string): void {
    const forkNs = kind === 'result' ? this.#forkNs : undefined;
    const elapsedNs = Number(this.#step) + (forkNs ?? 0);
    const times = {
      elapsedNs,
      ...(forkNs === undefined ? {} : { forkNs, activeNs: forkNs }),
      userNs: elapsedNs,
      systemNs: 0,
      voluntarySwitches: 0,
      involuntarySwitches: 0,
    };
    this.send(kind, { exit, timedOut, ...times, outputBytes: Buffer.byteLength(output) });
  }

  /** What every guest says last. */
  finish(policyLog: string, kernelLog: string): GuestOutcome {
    this.sendText('policy-log', policyLog);
    this.sendText('klog', kernelLog);
    this.send('done', {});
    return this.end('done');
  }

  end(ended: GuestOutcome['ended'], consoleTail = 'mock: not a measurement\n', cause?: string): GuestOutcome {
    const hash = createHash('sha256');
    for (const frame of this.#frames) hash.update(`${frame.kind} ${frame.guestNs} `).update(frame.payload);
    return {
      ended,
      frames: this.#frames,
      transcript: hash.digest('hex'),
      consoleTail,
      ...(cause === undefined ? {} : { cause }),
      hostSeconds: this.hostMs / 1000,
    };
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // The timer rejects with its own error; the contract is the signal's reason.
    signal.throwIfAborted();
  }
}
