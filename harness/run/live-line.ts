// SPDX-License-Identifier: Apache-2.0
import { stripVTControlCharacters } from 'node:util';

/** The part of a terminal stream that is used here. */
export interface Terminal {
  write(text: string): unknown;
  readonly columns?: number;
}

const CLEAR = '\r\x1b[2K';

/** Lines that stay, above one line that is rewritten in place. For terminals only. */
export class LiveLine {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Prints a line that stays. */
  print(line: string): void {
    this.#terminal.write(`${this.#shown === '' ? '' : CLEAR}${line}\n${this.#shown}`);
  }

  /** Shows `line` at the bottom instead of what was there, cut to the terminal's width. */
  status(line: string): void {
    // A line that wraps could not be cleared by returning to its start.
    const plain = stripVTControlCharacters(line);
    const width = (this.#terminal.columns ?? 80) - 1;
    this.#shown = plain.length <= width ? plain : `${plain.slice(0, width - 3)}...`;
    this.#terminal.write(CLEAR + this.#shown);
  }

  /** Takes the bottom line away. */
  end(): void {
    if (this.#shown !== '') this.#terminal.write(CLEAR);
    this.#shown = '';
  }
}
