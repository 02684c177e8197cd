// SPDX-License-Identifier: Apache-2.0
import { stripVTControlCharacters } from 'node:util';

/** What a line of AVA's report says. AVA's TAP would be easier to read, but it breaks off when a test hangs or exits. */
export type AvaLine =
  | { readonly kind: 'passed' | 'failed' | 'skipped'; readonly title: string }
  /** Tests that were lost with their file: it threw, hung, left or had none. */
  | { readonly kind: 'lost'; readonly count: number; readonly file: string }
  /** An end that may have been reported already in other words. */
  | { readonly kind: 'ended'; readonly file: string }
  /** Counts that can be known from the rest. */
  | { readonly kind: 'summary' }
  | { readonly kind: 'words' };

const RULE = /^ {2}[─-]+$/;
const SUMMARY = /^ {2}\d+ (?:tests?|hooks?|known|unhandled|uncaught) \w+/;

const FORMS: readonly [RegExp, (found: readonly string[]) => AvaLine][] = [
  [/^ {2}[✔√] (?:\[expected fail\] )?(.+)$/, ([, title = '']) => ({ kind: 'passed', title })],
  [/^ {2}[✘×] \[(?:fail|unexpected pass)\]: (.+)$/, ([, title = '']) => ({ kind: 'failed', title })],
  [/^ {2}- \[(?:skip|todo)\] (.+)$/, ([, title = '']) => ({ kind: 'skipped', title })],
  [/^ {2}(?:Uncaught exception|Unhandled rejection) in (.+)$/, ([, file = '']) => lost(1, file)],
  [/^ {2}[✘×] (\d+) tests? remaining in (.+)$/, ([, count, file = '']) => lost(Number(count), file)],
  [/^ {2}(\d+) tests were pending in (.+)$/, ([, count, file = '']) => lost(Number(count), file)],
  [/^ {2}[✘×] No tests found in ([^,]+)/, ([, file = '']) => lost(1, file)],
  [/^ {2}[✘×] (Internal error.*|Error in shared worker)$/, ([, words = '']) => lost(1, words)],
  [/^ {2}[✘×] (\S+) exited (?:with|due to) /, ([, file = '']) => ({ kind: 'ended', file })],
  [/^ {2}Failed to exit when running (.+)$/, ([, file = '']) => ({ kind: 'ended', file })],
];

function lost(count: number, file: string): AvaLine {
  return { kind: 'lost', count, file };
}

/** Reads AVA's report line by line. Below its rule it only tells again what was counted above. */
export class AvaReport {
  #below = false;

  read(coloured: string): AvaLine {
    const line = stripVTControlCharacters(coloured);
    this.#below ||= RULE.test(line);
    if (this.#below) return { kind: SUMMARY.test(line) || RULE.test(line) ? 'summary' : 'words' };
    for (const [form, meaning] of FORMS) {
      const found = form.exec(line);
      if (found !== null) return meaning(found);
    }
    return { kind: 'words' };
  }
}

/** Whether a passed test took ten seconds or more; AVA puts that behind its title. */
export function isSlow(title: string): boolean {
  return / \((?:\d+[hm]\b.*|\d{2,}(?:\.\d+)?s)\)$/.test(title);
}
