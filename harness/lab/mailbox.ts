// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { MAX_CANDIDATES, MAX_MODULES } from '../core/candidates.ts';
import { type HeldProgram, heldProgram } from '../core/held-program.ts';
import { canonicalJson } from '../core/ids.ts';
import type { Orders } from './engine.ts';

/** Persistent memory is mapped in steps of 128 MiB; the file is sparse. */
export const MAILBOX_BYTES = 128 * 2 ** 20;
/** Where each block begins, and the most that the guest is ready to read of one; see bpf/guest/agent/mailbox.c. */
const BLOCK_BYTES = 2 ** 20;
const MAX_ORDERS = BLOCK_BYTES - 4096;
/** Where files begin, each at a page's beginning; see bpf/guest/agent/file.c. */
const FILES_AT = 4 * BLOCK_BYTES;
const PAGE = 4096;
const MAX_FILES = 8;
/** As in bpf/guest/agent/agent.h. */
const MAX_ARGUMENTS = 128;
const MAX_WATCHED = 64;
/** How long a scheduler may take to be ready, and again to attach, guest time: scx_lavd is loaded and verified in a minute. */
const ATTACH_MS = 120_000;
/** A block that comes later. */
const WAIT = Buffer.from('PMVX-ORDERS 2 0 00000000 WAIT\n');

type Line = readonly [key: string, value: string];

/**
 * Orders as the guest's agent reads them, one block after the other: the candidates (the same for all trials of an
 * experiment), the run (the same for all policies of a block), the choice. What is read before a fork point is thus the same for
 * all that fork there. The trial's id is not among it: two trials with one seed and one policy are the same machine to the last bit.
 *
 * Format: a header with length and CRC, then `key value` lines, values percent-encoded. Throws RangeError for what the guest has no
 * room for.
 */
export function encodeBlocks(orders: Orders): readonly [Buffer, Buffer, Buffer] {
  const candidates = orders.candidates.map((candidate) => {
    const program = heldProgram(candidate);
    if (program === undefined) throw new RangeError(`candidate ${candidate.id} is no process`);
    return program;
  });
  if (candidates.length > MAX_CANDIDATES) {
    throw new RangeError(`${candidates.length} candidates; the guest holds at most ${MAX_CANDIDATES}`);
  }
  const { modules = [] } = orders;
  if (modules.length > MAX_MODULES) {
    throw new RangeError(`${modules.length} kernel modules; the guest loads at most ${MAX_MODULES}`);
  }
  return [
    encodeBlock([
      ['policy.deadline_ms', String(ATTACH_MS)],
      ...modules.map((each) => ['knob.module', each] as const),
      ...probeLines(orders),
      ...candidates.flatMap(candidateLines),
    ]),
    encodeBlock(runLines(orders)),
    encodeBlock(choiceLines(orders, candidates)),
  ];
}

function probeLines({ probes }: Orders): Line[] {
  if (probes === undefined) return [];
  return [
    ...probes.sets.map((set) => ['probe.set', set] as const),
    ['probe.window_ms', String(probes.windowMs)],
    ...(probes.onMs === undefined ? [] : [['probe.on_ms', String(probes.onMs)] as const]),
  ];
}

function candidateLines({ ops, argv }: HeldProgram): Line[] {
  return [['candidate.ops', ops], ...argumentLines('candidate.arg', argv)];
}

function runLines(orders: Orders): Line[] {
  const { seed, warmup, run, deadlineMs, forkAtMs, trace } = orders;
  return [
    ['seed', String(seed)],
    ...argumentLines('warmup.arg', warmup ?? []),
    ...argumentLines('run.arg', run),
    ['run.deadline_ms', String(deadlineMs)],
    ...filesOf(orders).flatMap(({ path, content }): Line[] => [
      ['file.path', path],
      ['file.size', String(content.length)],
      ['file.crc32', String(crc32(content))],
    ]),
    ...(trace === undefined ? [] : [['trace.path', trace] as const]),
    ...(forkAtMs === undefined ? [] : [['fork.at_ms', String(forkAtMs)] as const]),
    ...watchLines(orders),
  ];
}

function watchLines({ watch = [] }: Orders): Line[] {
  if (watch.length > MAX_WATCHED)
    throw new RangeError(`${watch.length} settings to watch; the guest takes at most ${MAX_WATCHED}`);
  return watch.map((path) => ['watch.path', path]);
}

/** The files of a run, each with its place in the mailbox. Throws RangeError when they do not fit. */
function filesOf({ files = [] }: Orders) {
  if (files.length > MAX_FILES)
    throw new RangeError(`${files.length} files; the guest takes at most ${MAX_FILES}`);
  let next = FILES_AT;
  return files.map(({ path, content }) => {
    const at = next;
    next += Math.ceil(content.length / PAGE) * PAGE;
    if (next > MAILBOX_BYTES) {
      throw new RangeError(`files end at ${next}, past the mailbox of ${MAILBOX_BYTES} bytes, with ${path}`);
    }
    return { path, content, at };
  });
}

/** Two candidates may go by one name (a scheduler with other arguments), so the choice is a candidate's number. */
function choiceLines({ policy, modules = [] }: Orders, candidates: readonly HeldProgram[]): Line[] {
  const { definition } = policy;
  if (definition.kind === 'builtin') return [['policy.kind', 'builtin']];
  if (definition.kind === 'knob') {
    const missing = definition.modules.find((each) => !modules.includes(each));
    if (missing !== undefined)
      throw new RangeError(`module ${missing} of policy ${policy.id} is not among those to load`);
    return [
      ['policy.kind', 'knob'],
      ...definition.modules.map((each) => ['knob.needs', String(modules.indexOf(each))] as const),
      ...definition.settings.flatMap(({ path, value, reads }): Line[] => [
        ['knob.path', path],
        ['knob.value', value],
        ...(reads === undefined ? [] : [['knob.reads', reads] as const]),
      ]),
    ];
  }
  const program = heldProgram(policy);
  const index = candidates.findIndex(
    (each) => program !== undefined && programOf(each) === programOf(program),
  );
  if (program === undefined || index < 0)
    throw new RangeError(`policy ${policy.id} is not among the candidates`);
  return [
    ['policy.kind', 'process'],
    ['policy.ops', program.ops],
    ['policy.candidate', String(index)],
  ];
}

function programOf({ ops, argv }: HeldProgram): string {
  return canonicalJson([ops, argv]);
}

function argumentLines(key: string, values: readonly string[]): Line[] {
  if (values.length > MAX_ARGUMENTS) {
    throw new RangeError(`${key}: ${values.length} arguments; the guest takes at most ${MAX_ARGUMENTS}`);
  }
  return values.map((value) => [key, value]);
}

function encodeBlock(lines: readonly Line[]): Buffer {
  const cut = lines.find(([, value]) => value.includes('\0'));
  if (cut) throw new RangeError(`${cut[0]} ${JSON.stringify(cut[1])} holds a NUL, which ends an argument`);
  const body = Buffer.from(lines.map(([key, value]) => `${key} ${encodeURIComponent(value)}\n`).join(''));
  if (body.length > MAX_ORDERS) {
    throw new RangeError(`orders of ${body.length} bytes; at most ${MAX_ORDERS} fit`);
  }
  const crc = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`PMVX-ORDERS 2 ${body.length} ${crc}\n`), body]);
}

/** Makes the sparse file that a machine sees as its mailbox, with its first `blocks` blocks; the guest waits for the others. */
export async function writeMailbox(path: string, orders: Orders, blocks = 3): Promise<void> {
  const encoded = encodeBlocks(orders);
  const file = await open(path, 'w');
  try {
    await file.truncate(MAILBOX_BYTES);
    for (const [at, block] of encoded.entries()) {
      await file.write(at < blocks ? block : WAIT, 0, null, at * BLOCK_BYTES);
    }
    // They belong to block 1.
    if (blocks > 1) await writeFiles(file, orders);
  } finally {
    await file.close();
  }
}

async function writeFiles(file: FileHandle, orders: Orders): Promise<void> {
  for (const { content, at } of filesOf(orders)) await file.write(content, 0, null, at);
}

/** Adds a block to the mailbox of a machine that waits for it: the header last, for the guest looks at that. */
export async function addBlock(path: string, orders: Orders, at: 0 | 1 | 2): Promise<void> {
  const block = encodeBlocks(orders)[at];
  const body = block.indexOf('\n') + 1;
  const file = await open(path, 'r+');
  try {
    if (at === 1) await writeFiles(file, orders);
    if (body < block.length) await file.write(block, body, null, at * BLOCK_BYTES + body);
    await file.write(block, 0, body, at * BLOCK_BYTES);
  } finally {
    await file.close();
  }
}
