// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

/** QEMU's machine protocol (QMP) on an open stream: one command at a time. */
export interface Monitor {
  /** Sends a command; resolves with what it returns, rejects with QEMU's own words. */
  command(name: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves once QEMU has told of an event of that name, also when it was before the call. */
  event(name: string): Promise<void>;
}

/** Far more than QEMU says at once. */
const LONGEST_LINE = 1 << 20;

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

/** Talks to the monitor of a machine; every wait rejects when the machine is gone. */
export async function openMonitor(stream: Duplex): Promise<Monitor> {
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  let reply: ((message: Reply) => void) | undefined;
  const gone = Promise.withResolvers<never>();
  // Whoever waits hears of it; when nobody does it is no fault.
  gone.promise.catch(() => undefined);
  const lines = createInterface({ input: stream });
  // A guest that has taken its emulator over may say anything, without end.
  const babble = () => {
    gone.reject(new Error('the monitor says what QEMU never does'));
    stream.destroy();
  };
  let unended = 0;
  stream.on('data', (bytes: Buffer) => {
    const end = bytes.lastIndexOf(10);
    unended = end < 0 ? unended + bytes.length : bytes.length - end;
    if (unended > LONGEST_LINE) babble();
  });
  lines.on('error', () => undefined);
  lines.on('close', () => gone.reject(new Error('the machine ended')));
  // A machine that was killed before it had read our command resets the connection: an error, and no end of the lines.
  stream.on('close', () => gone.reject(new Error('the machine ended')));
  const greeted = Promise.withResolvers<void>();
  lines.on('line', (line) => {
    const message = parseMessage(line);
    if (message === undefined) babble();
    else if ('QMP' in message) greeted.resolve();
    else if (message.event !== undefined) {
      seen.add(message.event);
      waiting.get(message.event)?.();
    } else reply?.(message);
  });

  const command = async (name: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
    const answer = new Promise<Reply>((resolve) => {
      reply = resolve;
    });
    stream.write(`${JSON.stringify({ execute: name, arguments: args })}\n`);
    const message = await Promise.race([answer, gone.promise]);
    if (message.error !== undefined)
      throw new Error(`QEMU refused ${name}: ${String(message.error?.desc).slice(0, 1000)}`);
    return message.return;
  };
  const event = async (name: string): Promise<void> => {
    if (seen.has(name)) return;
    const told = new Promise<void>((resolve) => waiting.set(name, resolve));
    await Promise.race([told, gone.promise]);
  };
  await Promise.race([greeted.promise, gone.promise]);
  await command('qmp_capabilities');
  return { command, event };
}

/** A message of the monitor; undefined for what is none. */
function parseMessage(line: string): Reply | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Reply) : undefined;
  } catch {
    return undefined;
  }
}
