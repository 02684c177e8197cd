// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Orders } from './engine.ts';

/** Persistent memory is mapped in steps of 128 MiB; the file is sparse. */
export const MAILBOX_BYTES = 128 * 2 ** 20;
/** What the guest is ready to read, see bpf/guest/agent/orders.c. */
const MAX_ORDERS = 1024 * 1024 - 4096;
/** How long a scheduler may take to attach, guest time. */
const ATTACH_MS = 20_000;

/**
 * Orders as the guest's agent reads them. The trial's id is not among them: two trials with one seed and one policy must be
 * the same machine to the last bit.
 *
 * Format: a header with length and CRC, then `key value` lines, values percent-encoded. */
export function encodeOrders(orders: Orders): Buffer {
  const { definition } = orders.policy;
  const lines: [string, string][] = [
    ['seed', String(orders.seed)],
    ['policy.kind', definition.kind],
    ['policy.deadline_ms', String(ATTACH_MS)],
  ];
  if (definition.kind === 'process') {
    lines.push(['policy.ops', definition.ops]);
    for (const value of definition.argv) lines.push(['policy.arg', value]);
  }
  for (const value of orders.warmup ?? []) lines.push(['warmup.arg', value]);
  for (const value of orders.run) lines.push(['run.arg', value]);
  lines.push(['run.deadline_ms', String(orders.deadlineMs)]);

  const cut = lines.find(([, value]) => value.includes('\0'));
  if (cut) throw new RangeError(`${cut[0]} ${JSON.stringify(cut[1])} holds a NUL, which ends an argument`);
  const body = Buffer.from(lines.map(([key, value]) => `${key} ${encodeURIComponent(value)}\n`).join(''));
  if (body.length > MAX_ORDERS)
    throw new RangeError(`orders of ${body.length} bytes; at most ${MAX_ORDERS} fit`);
  const crc = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`PMVX-ORDERS 1 ${body.length} ${crc}\n`), body]);
}

/** Makes the sparse file that a machine sees as its mailbox. */
export async function writeMailbox(path: string, orders: Orders): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.truncate(MAILBOX_BYTES);
    await file.write(encodeOrders(orders), 0, null, 0);
  } finally {
    await file.close();
  }
}
