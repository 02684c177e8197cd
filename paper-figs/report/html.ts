// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../harness/core/printable.ts';

/** Text that is HTML already; everything else is escaped where it is put into a page. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | undefined | Markup | readonly Part[];

/**
 * HTML from a template: parts are escaped unless they are `Markup`, lists are joined, `undefined` is nothing. Only for
 * text between tags and for attributes in double quotes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, at) => `${text}${textOf(parts[at - 1])}${string}`));
}

/** A guest may print anything: tags, entities, control and direction characters. */
export function escapeHtml(text: string): string {
  const seen = text.split(/(\n)/).map((part) => (part === '\n' ? part : printable(part)));
  return seen.join('').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON for a script element that is data: no `<` can end it. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A program for a script element: what would end it is written otherwise, with the same meaning in strings and patterns. */
export function codeForScript(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(textOf).join('');
  return escapeHtml(String(part));
}
