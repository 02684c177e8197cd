// SPDX-License-Identifier: Apache-2.0
// The only importer of danfojs. It is for tables: read, select, join, pivot, CSV. Never for a statistic: its
// arithmetic is float32, its groupby turns null into 0, its std of one row is 0. Loading it takes half a
// second, so it is loaded when first used.
import { resolve } from 'node:path';
import type { DataFrame } from 'danfojs-node';
import { type CsvCell, formatCell } from '../harness/core/csv.ts';
import { ExitCode, PmvxError } from '../harness/core/errors.ts';

/** A cell; `undefined` is missing, and stays missing through every operation. Numbers are finite. */
export type Cell = CsvCell;
export type Row = Readonly<Record<string, Cell>>;

/** A table with named columns. Operations give new frames; an unknown column is an error. */
export interface Frame {
  readonly columns: readonly string[];
  rows(): Row[];
  select(columns: readonly string[]): Frame;
  /** Rows whose cell in `column` is `value`. */
  where(column: string, value: Cell): Frame;
  /**
   * Left join: each row once and in order, with the other's columns where `on` agrees; `on` must be unique in
   * `other`.
   */
  join(other: Frame, on: string): Frame;
  /**
   * A row for each value of `index`, a column for each value of `across`, in order of appearance; one value at
   * most for a cell.
   */
  pivot(index: string, across: string, value: string): Frame;
  /** RFC 4180, `\n` line ends. */
  toCsv(): string;
}

type Danfo = typeof import('danfojs-node');
type Cells = readonly (readonly Cell[])[];

let loading: Promise<Danfo> | undefined;

/** A frame of `rows` with exactly these columns in this order. */
export async function frameOf(rows: readonly Row[], columns: readonly string[]): Promise<Frame> {
  const cells = rows.map((row) => columns.map((column) => row[column]));
  return new DanfoFrame(await danfo(), columns, cells);
}

/**
 * Reads a CSV file. Every cell is text (`0007` stays `0007`) and an empty one missing; `numeric` columns become
 * numbers.
 */
export async function readCsv(path: string, numeric: readonly string[] = []): Promise<Frame> {
  const library = await danfo();
  // Absolute, because danfojs fetches a name that starts with http. Without `header`, because it rejects a
  // header alone.
  const options = { header: false, dynamicTyping: false, skipEmptyLines: 'greedy' } as const;
  const data = await library.readCSV(resolve(path), options as object).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new PmvxError(
      ExitCode.usage,
      { where: path, what: `cannot be read as CSV: ${why}` },
      { cause: error },
    );
  });
  const [header = [], ...body] = data.values as string[][];
  const isNumber = header.map((column) => numeric.includes(column));
  const cells = body.map((line) =>
    line.map((text, at) => (text === '' ? undefined : isNumber[at] === true ? Number(text) : text)),
  );
  return new DanfoFrame(library, header, cells);
}

class DanfoFrame implements Frame {
  readonly columns: readonly string[];
  readonly #library: Danfo;
  readonly #cells: Cells;

  constructor(library: Danfo, columns: readonly string[], cells: Cells) {
    this.#library = library;
    this.columns = columns;
    this.#cells = cells;
  }

  rows(): Row[] {
    return this.#cells.map((line) =>
      Object.fromEntries(this.columns.map((column, at) => [column, line[at]])),
    );
  }

  select(columns: readonly string[]): Frame {
    for (const column of columns) this.#at(column);
    if (this.#cells.length === 0) return this.#with(columns, []);
    return this.#with(columns, this.#data().loc({ columns: [...columns] }).values as Cell[][]);
  }

  where(column: string, value: Cell): Frame {
    const at = this.#at(column);
    const keep = this.#cells.map((line) => line[at] === value);
    if (!keep.includes(true)) return this.#with(this.columns, []);
    return this.#with(this.columns, this.#data().query(keep).values as Cell[][]);
  }

  join(other: Frame, on: string): Frame {
    const at = this.#at(on);
    const extra = other.columns.filter((column) => column !== on);
    const right = other.select([on, ...extra]).rows();
    if (new Set(right.map((row) => row[on])).size < right.length)
      throw new RangeError(`join: ${on} is not unique`);
    const clash = extra.find((column) => this.columns.includes(column));
    if (clash !== undefined) throw new RangeError(`join: both frames have a column ${clash}`);
    const columns = [...this.columns, ...extra];
    if (this.#cells.length === 0) return this.#with(columns, []);
    if (right.length === 0) return this.#with(columns, pad(this.#cells, columns.length));
    // merge orders rows by key and marks what is missing with NaN: numbered rows and a presence column undo
    // both.
    const keys = this.#frame(
      ['#', on],
      this.#cells.map((line, row) => [row, line[at]]),
    );
    const partners = this.#frame(
      [on, '@'],
      right.map((row, index) => [row[on], index]),
    );
    const merged = this.#library.merge({ left: keys, right: partners, on: [on], how: 'left' });
    const partnerOf = new Map(
      (merged.loc({ columns: ['#', '@'] }).values as number[][]).map(([row, index]) => [row, index]),
    );
    const cells = this.#cells.map((line, row) => {
      const partner = right[partnerOf.get(row) ?? Number.NaN];
      return [...line, ...extra.map((column) => partner?.[column])];
    });
    return this.#with(columns, cells);
  }

  pivot(index: string, across: string, value: string): Frame {
    const triples = this.select([index, across, value]).rows();
    const columns = [...new Set(triples.map((row) => String(row[across])))];
    const lines = new Map<Cell, Map<string, Cell>>();
    for (const row of triples) {
      const line = lines.get(row[index]) ?? new Map<string, Cell>();
      lines.set(row[index], line);
      const column = String(row[across]);
      if (line.has(column))
        throw new RangeError(`pivot: two values for ${index} ${row[index]}, ${across} ${column}`);
      line.set(column, row[value]);
    }
    const cells = [...lines].map(([key, line]) => [key, ...columns.map((column) => line.get(column))]);
    return this.#with([index, ...columns], cells);
  }

  toCsv(): string {
    // toCSV joins with commas and quotes nothing, so each cell is quoted before.
    const quoted = this.#cells.map((line) => line.map(formatCell));
    return this.#library.toCSV(this.#frame(this.columns.map(formatCell), quoted)) as unknown as string;
  }

  #with(columns: readonly string[], cells: Cells): Frame {
    return new DanfoFrame(this.#library, columns, cells);
  }

  #data(): DataFrame {
    return this.#frame(this.columns, this.#cells);
  }

  #frame(columns: readonly string[], cells: Cells): DataFrame {
    return new this.#library.DataFrame(cells as Cell[][], { columns: [...columns] });
  }

  #at(column: string): number {
    const at = this.columns.indexOf(column);
    if (at === -1) throw new RangeError(`no column ${column}; there are ${this.columns.join(', ')}`);
    return at;
  }
}

function pad(cells: Cells, width: number): Cells {
  return cells.map((line) => Array.from({ length: width }, (_, at) => line[at]));
}

function danfo(): Promise<Danfo> {
  loading ??= import('danfojs-node').then(
    (module) => (module as unknown as { default?: Danfo }).default ?? module,
  );
  return loading;
}
