// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode } from '../core/errors.ts';
import type { JournalLine } from '../runtime/contracts.ts';
import { connectControl } from '../runtime/daemon/control-client.ts';
import { defaultPlaces } from '../runtime/daemon/places.ts';
import { statusLines } from '../runtime/daemon/status-lines.ts';
import type { CommandContext } from './context.ts';

export interface TopArgs {
  readonly socket?: string;
  readonly times?: number;
}

const EVERY_MS = 1000;
const DECISIONS = 12;
/** Cursor home, clear to the end of the screen. */
const CLEAR = '\u001b[H\u001b[J';

/** `pmvx top`: the daemon's state, once a second on a terminal; into a pipe each state follows the one before. */
export async function topCommand(args: TopArgs, context: CommandContext): Promise<ExitCode> {
  const client = await connectControl(args.socket ?? defaultPlaces(context.env).socket);
  try {
    for (let left = args.times ?? Number.POSITIVE_INFINITY; left > 0 && !context.signal.aborted; left--) {
      const status = await client.call('status', {});
      const lines = await client.call('decisions', { count: DECISIONS });
      const screen = [
        `pmvx autotune, process ${status.pid}, ${status.at}`,
        '',
        ...statusLines(status),
        '',
        ...lines.toReversed().map(shortLine),
      ];
      context.write(`${context.isTTY ? CLEAR : ''}${screen.join('\n')}`);
      if (left > 1) await delay(EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
    }
    return ExitCode.ok;
  } finally {
    client.close();
  }
}

/** One line of the journal on one line of the screen. */
export function shortLine(line: JournalLine): string {
  const time = line.at.slice(11, 19);
  const number = String(line.seq).padStart(6);
  switch (line.kind) {
    case 'intent':
      return `${time} ${number}  about to switch from ${line.from} to ${line.to}`;
    case 'event':
      return `${time} ${number}  ${line.event}: ${line.what.split('\n')[0]}`;
    case 'decision': {
      const moved = line.from === line.to ? line.to : `${line.from} -> ${line.to}`;
      return `${time} ${number}  ${moved}  ${line.rule}: ${line.because.split('\n')[0]}`;
    }
  }
}
