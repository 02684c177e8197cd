// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { JournalLine } from '../runtime/contracts.ts';
import { connectControl } from '../runtime/daemon/control-client.ts';
import { defaultPlaces } from '../runtime/daemon/places.ts';
import { explainLine } from '../runtime/daemon/words.ts';
import { readJournal } from '../runtime/journal/read.ts';
import type { CommandContext } from './context.ts';

export interface ExplainArgs {
  readonly seq?: string;
  readonly journal?: string;
  readonly switches?: true;
  readonly socket?: string;
}

/** `pmvx explain`: from the running daemon, or a journal. */
export async function explainCommand(args: ExplainArgs, context: CommandContext): Promise<ExitCode> {
  const seq = args.seq === undefined ? undefined : parseSeq(args.seq);
  if (args.journal !== undefined) return explainJournal(args.journal, seq, args.switches === true, context);
  const client = await connectControl(args.socket ?? defaultPlaces(context.env).socket);
  try {
    if (args.switches === true) {
      const lines = await client.call('decisions', { count: 512, all: false });
      for (const line of lines) context.write(`${explainLine(line)}\n`);
    } else {
      const { words } = await client.call('explain', seq === undefined ? {} : { seq });
      context.write(words);
    }
    return ExitCode.ok;
  } finally {
    client.close();
  }
}

async function explainJournal(
  path: string,
  seq: number | undefined,
  switches: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  if (!existsSync(path)) {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: 'there is no such journal',
      next: 'Check the path',
    });
  }
  let found: JournalLine | undefined;
  for await (const line of readJournal(path)) {
    if (switches) {
      if (didSomething(line)) context.write(`${explainLine(line)}\n`);
    } else if (seq === undefined ? line.kind === 'decision' : line.seq === seq) found = line;
  }
  if (switches) return ExitCode.ok;
  if (found === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: seq === undefined ? 'the journal has no decision' : `the journal has no line ${seq}`,
      next: 'Give the seq of one of its lines',
    });
  }
  context.write(explainLine(found));
  return ExitCode.ok;
}

function didSomething(line: JournalLine): boolean {
  return line.kind === 'event' || (line.kind === 'decision' && line.action.kind !== 'stay');
}

function parseSeq(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new PmvxError(ExitCode.usage, {
    where: 'pmvx explain',
    what: `a line of the journal is named by its seq, a whole number, got ${JSON.stringify(text)}`,
    next: 'pmvx explain without a number tells the last decision',
  });
}
