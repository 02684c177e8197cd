// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { settleCalibrations } from '../../analysis/policy-map/choose/calibration.ts';
import { describeMachine } from '../../analysis/policy-map/evidence.ts';
import {
  formatEnd,
  formatEvidence,
  formatHeader,
  readEvidenceLines,
} from '../../analysis/policy-map/evidence-lines.ts';
import { isAddress, openMap, readMap } from '../../analysis/policy-map/open-map.ts';
import type { PolicyMapReader } from '../../analysis/policy-map/policy-map.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { storageFault } from '../store/storage-fault.ts';
import type { CommandContext } from './context.ts';

/** `pmvx map show MAP`: what a map holds. */
export async function mapShowCommand(
  args: { map: string; json?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const map = await readMap(args.map);
  try {
    const facts = await map.facts();
    if (args.json === true) {
      context.write(JSON.stringify({ v: 1, ...facts }, null, 2));
      return ExitCode.ok;
    }
    context.write(`features      ${facts.features}, ${facts.dimensions} dimensions; schema ${facts.schema}`);
    context.write(`situations    ${facts.situations}, ${facts.unplaced} of them without a vector`);
    context.write(`vectors       ${facts.observations}`);
    context.write(`outcomes      ${facts.outcomes} of ${facts.policies} policies, from ${facts.runs} runs`);
    for (const machine of facts.machines) context.write(`machine       ${describeMachine(machine)}`);
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}

/** `pmvx map export MAP [FILE]`: all evidence as JSON Lines, in an order that depends on the evidence alone. */
export async function mapExportCommand(
  args: { map: string; file?: string },
  context: CommandContext,
): Promise<ExitCode> {
  const map = await readMap(args.map);
  try {
    if (args.file === undefined) {
      for await (const line of exportLines(map)) context.write(line);
      return ExitCode.ok;
    }
    const beside = `${args.file}.tmp`;
    try {
      const out = createWriteStream(beside, { flush: true });
      const failed = new Promise<never>((_, reject) => out.once('error', reject));
      await Promise.race([failed, writeLines(map, out)]);
      await rename(beside, args.file);
    } catch (error) {
      await rm(beside, { force: true });
      throw storageFault(error, 'write', args.file);
    }
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}

async function writeLines(map: PolicyMapReader, out: NodeJS.WritableStream): Promise<void> {
  for await (const line of exportLines(map)) {
    if (!out.write(`${line}\n`)) await new Promise((resolve) => out.once('drain', resolve));
  }
  out.end();
  await finished(out);
}

async function* exportLines(map: PolicyMapReader): AsyncIterable<string> {
  yield formatHeader(map.kind);
  let lines = 0;
  for await (const evidence of map.evidence()) {
    yield formatEvidence(evidence);
    lines++;
  }
  yield formatEnd(lines);
}

async function isEmpty(map: PolicyMapReader): Promise<boolean> {
  for await (const _ of map.evidence()) return false;
  return true;
}

/** `pmvx map import MAP FILE`: evidence that `map export` wrote; the map is made when there is none. */
export async function mapImportCommand(
  args: { map: string; file: string },
  context: CommandContext,
): Promise<ExitCode> {
  const chunks: AsyncIterable<Uint8Array> = args.file === '-' ? process.stdin : createReadStream(args.file);
  const where = args.file === '-' ? 'stdin' : args.file;
  try {
    const { kind, evidence } = await readEvidenceLines(chunks, where);
    const fresh = !isAddress(args.map) && !existsSync(args.map);
    const map = await openMap(args.map, kind);
    try {
      const { outcomes, observations, runs, known } = await map.learn(evidence, settleCalibrations);
      context.write(
        `imported ${outcomes} outcomes and ${observations} vectors of ${runs} new runs; ${known} pieces of evidence were known`,
      );
    } catch (error) {
      // A map that was made for evidence that is refused is none.
      if (fresh && (await isEmpty(map)))
        for (const end of ['', '-wal', '-shm']) await rm(`${args.map}${end}`, { force: true });
      throw error;
    } finally {
      await map.close();
    }
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing) throw storageFault(error, 'read', where);
    throw new PmvxError(
      ExitCode.usage,
      { where, what: 'there is no such file', next: 'Check the path' },
      { cause: error },
    );
  }
  return ExitCode.ok;
}

/** `pmvx map check MAP`: recomputes what is derived, and brings an older schema up to date. */
export async function mapCheckCommand(args: { map: string }, context: CommandContext): Promise<ExitCode> {
  const map = await openMap(args.map);
  try {
    const faults = await map.verify();
    if (faults.length === 0) await map.learn([], settleCalibrations);
    for (const fault of faults) context.warn(`pmvx: ${args.map}: ${fault}`);
    if (faults.length === 0) context.write(`${args.map}: sound`);
    return faults.length === 0 ? ExitCode.ok : ExitCode.failure;
  } finally {
    await map.close();
  }
}

/** `pmvx map grant MAP ROLE`: lets a role of the server read the map, or learn. */
export async function mapGrantCommand(
  { map, role, access }: { map: string; role: string; access: 'read' | 'learn' },
  context: CommandContext,
): Promise<ExitCode> {
  if (!isAddress(map)) {
    throw new PmvxError(ExitCode.usage, {
      where: map,
      what: 'a file has no roles',
      next: 'Give the address of a map on PostgreSQL; who may use a file is said by chmod',
    });
  }
  const { grantPostgresAccess } = await import('../../analysis/policy-map/postgres/connect.ts');
  await grantPostgresAccess(map, role, access);
  context.write(`${role} may now ${access === 'read' ? 'read' : 'read, and add evidence'}, and nothing more`);
  return ExitCode.ok;
}
