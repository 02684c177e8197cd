// SPDX-License-Identifier: Apache-2.0
import { boundedText } from '../core/guest-text.ts';

/** Colours and the like: the programs of scx write them even where nobody sees them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what such a sequence begins with.
const STYLE = /\u001b\[[0-9;]*m/g;

/**
 * Lines in which a scheduler's program says why it gives up, the more telling first. Each takes what belongs to the message; a place, where
 * there is one, comes first.
 */
const CAUSES: readonly (readonly [RegExp, (match: RegExpExecArray, next: string) => string])[] = [
  // tools/sched_ext: SCX_BUG() and SCX_BUG_ON(), with the message on the line after it.
  [
    /^\[SCX_BUG\] (\S+:\d+)(?: \((.*)\))?$/,
    ([, place, errno], next) => joined(place, next || errno, next && errno),
  ],
  // Rust: a panic, with its message on the line after it.
  [/^thread '.*' (?:\(\d+\) )?panicked at (\S+?:\d+)(?::\d+)?:$/, ([, place], next) => joined(place, next)],
  // clap and anyhow.
  [/^(?:error|Error): (.+)$/, ([, message]) => message as string],
  // getopt; libbpf-based programs and the shell say NAME: MESSAGE.
  [
    /^\S+: ((?:invalid|unrecognized|unknown|illegal) option .*|option .*(?:requires|is ambiguous|doesn't allow).*)$/,
    ([line]) => line,
  ],
  [/^libbpf: (failed .*|Error .*|.*: failed .*)$/, ([line]) => line],
];

function joined(place = '', message = '', errno = ''): string {
  return `${place}: ${message}${errno === '' ? '' : ` (${errno})`}`;
}

/**
 * Why a scheduler's program gave up, in its own words and one line, from what it printed; undefined when it does not say. Of one that
 * `ended` by itself the last line counts, whatever it is.
 */
export function loaderCause(log: string, ended: boolean): string | undefined {
  const lines = boundedText(log)
    .replaceAll(STYLE, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const [pattern, cause] of CAUSES) {
    for (const [at, line] of lines.entries()) {
      const match = pattern.exec(line);
      if (match !== null) return cause(match, lines[at + 1] ?? '');
    }
  }
  return ended ? lines.at(-1) : undefined;
}
