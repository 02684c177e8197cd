// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { ExitCode, type Fault, PmvxError } from '../../harness/core/errors.ts';
import { POINT_PATTERN } from '../../harness/core/fork-point.ts';
import { NAME_PATTERN } from '../../harness/core/ids.ts';
import { printable } from '../../harness/core/printable.ts';
import { openLine, sealLine } from '../../harness/core/sealed-line.ts';
import { ENGINE_NAMES, TRIAL_STATES } from '../../harness/core/trial.ts';
import type { Evidence } from './evidence.ts';
import type { MapKind } from './policy-map.ts';

/** Version of the lines, in the first of them. */
const LINES_VERSION = 1;
/** Longer lines are no evidence. */
const LONGEST_LINE = 256 * 1024;
/** Faults after which reading is given up. */
const MOST_FAULTS = 20;

const name = z
  .string()
  .regex(NAME_PATTERN, 'must be a name of small letters, digits, dots, dashes and underscores');
const text = z.string().min(1).max(1024);
const instant = z.iso.datetime();
const count = z.int().min(0).max(1_000_000);
const cost = z.number().min(-50).max(50);

const header = z.strictObject({
  policyMap: z.literal(LINES_VERSION),
  features: text,
  dimensions: z.int().min(1).max(4096),
});

const trial = {
  run: name,
  trial: z.string().regex(/^[0-9a-z._-]{1,64}$/, 'must be the number of a trial'),
  workload: name,
  variant: text,
  point: z.string().regex(POINT_PATTERN, 'must be quiescent, warm or a time like 2s'),
  policy: name,
  at: instant,
};

const evidence = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('run'),
    run: name,
    machine: z.strictObject({
      engine: z.enum(ENGINE_NAMES),
      kernel: text,
      nodes: count,
      sockets: count,
      cores: count,
      threads: count,
      cpu: text,
    }),
    image: text.optional(),
    definitions: text.optional(),
    createdAt: instant,
  }),
  z.strictObject({
    kind: z.literal('observation'),
    ...trial,
    window: z.int().min(-1).max(1_000_000),
    vector: z.array(z.number()).min(1).max(4096),
  }),
  z.strictObject({
    kind: z.literal('outcome'),
    ...trial,
    baseline: trial.trial.optional(),
    block: count,
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
    state: z.enum(TRIAL_STATES),
    failed: z.boolean(),
    logCosts: z.strictObject({
      primary: cost.optional(),
      time: cost.optional(),
      tail: cost.optional(),
      energy: cost.optional(),
    }),
  }),
]);

const end = z.strictObject({ kind: z.literal('end'), evidence: z.int().min(0) });

/** The first line of an export: of which features its vectors are. Each line vouches for itself, and the last one for their number. */
export function formatHeader({ features, dimensions }: MapKind): string {
  return sealed({ policyMap: LINES_VERSION, features, dimensions });
}

export function formatEvidence(each: Evidence): string {
  return sealed(each);
}

/** The last line: how many pieces of evidence there are. */
export function formatEnd(evidence: number): string {
  return sealed({ kind: 'end', evidence });
}

function sealed(value: object): string {
  return sealLine(value).toString('utf8').trimEnd();
}

/** Lines of an export, from wherever they come: nothing in them is believed before it is checked. */
export interface EvidenceLines {
  readonly kind: MapKind;
  readonly evidence: AsyncIterable<Evidence>;
}

/**
 * Reads an export. `where` names it in faults (`file:line`). Throws at the first line when that is not one, and at the end of the evidence, or after
 * twenty faults, with all that was found; until then good lines have been given out, so take them in one transaction.
 */
export async function readEvidenceLines(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
): Promise<EvidenceLines> {
  const lines = linesOf(chunks, where)[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) throw refuse({ where, what: 'the file is empty', next: NEXT });
  const { value, seal } = opened(first.value.text);
  const read = header.safeParse(seal === 'broken' ? undefined : value);
  if (!read.success) {
    const what = `the first line is not that of an exported policy map, ${JSON.stringify(printable(first.value.text.slice(0, 60)))}`;
    throw refuse({ where: `${where}:1`, what, next: NEXT });
  }
  const { features, dimensions } = read.data;
  const evidence = evidenceOf(lines, where, { dimensions, sealed: seal === 'whole' });
  return { kind: { features, dimensions }, evidence };
}

const NEXT = 'pmvx map export FILE writes such lines; nothing was imported';

async function* evidenceOf(
  lines: AsyncIterator<Line>,
  where: string,
  /** Exports from before lines were sealed have no seals, and no last line. */
  { dimensions, sealed }: { readonly dimensions: number; readonly sealed: boolean },
): AsyncIterable<Evidence> {
  const faults: Fault[] = [];
  let seen = 0;
  let told: number | undefined;
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const { number, text: line } = next.value;
    if (line.trim() === '') continue;
    const { value, seal } = opened(line);
    const fault = (what: string) => faults.push({ where: `${where}:${number}`, what, next: NEXT });
    if (told !== undefined) fault('it stands after the last line');
    else if (sealed && seal !== 'whole') fault('it is not what was written: its CRC is lost or differs');
    else if (sealed && end.safeParse(value).success) told = end.parse(value).evidence;
    else {
      seen++;
      const read = evidence.safeParse(value);
      if (!read.success) fault(value === undefined ? 'not valid JSON' : complaint(read.error, value));
      else if (read.data.kind === 'observation' && read.data.vector.length !== dimensions) {
        fault(`the vector has ${read.data.vector.length} numbers, and the first line says ${dimensions}`);
      } else if (faults.length === 0) yield read.data as Evidence;
    }
    if (faults.length >= MOST_FAULTS) break;
  }
  if (faults.length === 0 && sealed && told !== seen) {
    const what =
      told === undefined
        ? 'it is cut off: its last line is missing'
        : `${seen} pieces of evidence, its last line says ${told}`;
    faults.push({ where, what, next: NEXT });
  }
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
}

/** The value of a line without its seal; undefined when it is no JSON. */
function opened(line: string): { readonly value: unknown; readonly seal: 'whole' | 'broken' | 'bare' } {
  const { text, seal } = openLine(Buffer.from(line));
  return { value: parseJson(text), seal };
}

function complaint(error: z.ZodError, value: unknown): string {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  const seen = issue?.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    value,
  );
  const got =
    seen === undefined || typeof seen === 'object'
      ? ''
      : `, got ${printable(JSON.stringify(seen).slice(0, 60))}`;
  return `${path === '' ? 'the line' : path}: ${issue?.message ?? 'is wrong'}${got}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Lines of bounded length: a file without line ends must not fill the memory. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>, where: string): AsyncIterable<Line> {
  let rest = Buffer.alloc(0);
  let number = 0;
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      yield { number: ++number, text: bytes.toString('utf8', start, end) };
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_LINE) {
      const what = `the line is longer than ${LONGEST_LINE} bytes`;
      throw refuse({ where: `${where}:${number + 1}`, what, next: NEXT });
    }
  }
  if (rest.length > 0) yield { number: ++number, text: rest.toString('utf8') };
}

function refuse(fault: Fault): PmvxError {
  return new PmvxError(ExitCode.usage, fault);
}
