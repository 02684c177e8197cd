// SPDX-License-Identifier: Apache-2.0
import type { Machine } from '../../core/spec.ts';
import { icountShift } from '../qemu-arguments.ts';

/** A subsection in QEMU's migration stream: mark, length of the name, name, version 1. Two 64-bit numbers follow it. */
const SECTION = Buffer.from('\x05\x0ctimer/icount\0\0\0\x01', 'latin1');

/**
 * The virtual time at which a machine's state was saved on `exact`, nanoseconds since power-on: what QEMU added while the
 * machine was idle, and the executed instructions. Undefined when `state` does not have them.
 */
export function savedTimeNs(state: Buffer, machine: Machine): number | undefined {
  const at = state.indexOf(SECTION);
  if (at < 0 || state.length < at + SECTION.length + 16) return undefined;
  const added = state.readBigInt64BE(at + SECTION.length);
  const instructions = state.readBigInt64BE(at + SECTION.length + 8);
  return Number(added + (instructions << BigInt(icountShift(machine))));
}
