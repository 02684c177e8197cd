// SPDX-License-Identifier: Apache-2.0

/** One test of a TAP stream, with what AVA says about it. */
export interface TapTest {
  readonly kind: 'test';
  readonly state: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly title: string;
  /** Lines that the test logged. */
  readonly log: readonly string[];
  /** Text of the YAML block after a failure. */
  readonly diagnosis: string | undefined;
}

/** The `# fail` line: more than the failed tests when some never came to an end. A todo counts here as failed. */
export interface TapFailures {
  readonly kind: 'failures';
  readonly count: number;
}

/** Anything else that was printed. */
export interface TapWords {
  readonly kind: 'words';
  readonly text: string;
}

export type TapEvent = TapTest | TapFailures | TapWords;

const TEST = /^(?<not>not )?ok \d+ - (?<title>.*?)(?: # (?<directive>SKIP|TODO))?$/;
/** What says nothing that is not said elsewhere; AVA names each hook that ended well. */
const EXPECTED = /^(?:TAP version \d+|1\.\.\d+|# (?:tests|pass|skip) \d+|# .* hook(?: for .*)?|)$/;

/** Reads TAP as AVA writes it. A test is given when the next line that is not its own arrives. */
export async function* readTap(lines: AsyncIterable<string>): AsyncGenerator<TapEvent> {
  let test: { -readonly [Key in keyof TapTest]: TapTest[Key] } | undefined;
  let block: string[] | undefined;
  for await (const line of lines) {
    if (block !== undefined && test !== undefined) {
      if (line === '  ...') {
        test.diagnosis = block.join('\n');
        block = undefined;
      } else {
        block.push(line.slice(4));
      }
      continue;
    }
    if (test !== undefined && line === '  ---') {
      block = [];
      continue;
    }
    if (test !== undefined && line.startsWith('#   ')) {
      test.log = [...test.log, line.slice(4)];
      continue;
    }
    if (test !== undefined) yield test;
    test = undefined;
    const found = TEST.exec(line)?.groups;
    if (found !== undefined) {
      test = {
        kind: 'test',
        state: stateOf(found.not !== undefined, found.directive),
        title: found.title ?? '',
        log: [],
        diagnosis: undefined,
      };
    } else if (line.startsWith('# fail ')) {
      yield { kind: 'failures', count: Number(line.slice('# fail '.length)) };
    } else if (!EXPECTED.test(line)) {
      yield { kind: 'words', text: line };
    }
  }
  // A stream that was cut off inside a block: what came of it is kept.
  if (test !== undefined) yield block === undefined ? test : { ...test, diagnosis: block.join('\n') };
}

function stateOf(not: boolean, directive: string | undefined): TapTest['state'] {
  if (directive === 'SKIP') return 'skipped';
  if (directive === 'TODO') return 'todo';
  return not ? 'failed' : 'passed';
}
