// SPDX-License-Identifier: Apache-2.0
import { boundedText } from '../core/guest-text.ts';

/** Why the kernel's BPF verifier refused a program, from the log that libbpf prints. */
export interface VerifierRefusal {
  readonly program: string;
  /** Its one-line finding, such as `R7 invalid mem access 'scalar'`. */
  readonly finding: string;
  /** Where in the source, such as `scx_qmap.bpf.c:336`; absent in a log without source lines. */
  readonly place?: string;
  /** The finding with what stands around it: the source line, the kernel's explanation, libbpf's error. */
  readonly words: string;
}

const BEGIN = /^libbpf: prog '([^']*)': -- BEGIN PROG LOAD LOG --$/;
const END = /^-- END PROG LOAD LOG --$/;
// The log is a trace of every instruction; what follows the finding is an explanation (kernels from 7.x) or the counts.
const AFTER_FINDING = /^(?:Verification failed:|processed \d+ insns)/;
// The explanation closes with the whole way to the fault, often hundreds of lines.
const WAY = /^Causal path:/;
// The source line that the instructions after it come from.
const SOURCE = /^; .* @ (\S+:\d+)$/;
const LINES_BEFORE = 6;
const LINES_OF_EXPLANATION = 20;
const LINES_OF_LOADER = 5;

/** Finds the refusal in what a loader printed; undefined when the verifier refused nothing, or its finding is lost. */
export function verifierRefusal(log: string): VerifierRefusal | undefined {
  const lines = boundedText(log)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const begin = lines.findLastIndex((line) => BEGIN.test(line));
  if (begin < 0) return undefined;
  const rest = lines.slice(begin + 1);
  const after = rest.findIndex((line) => AFTER_FINDING.test(line));
  if (after < 1) return undefined;
  const end = rest.findIndex((line) => END.test(line));
  const explanation = rest.slice(after, end < 0 ? rest.length : end);
  const way = explanation.findIndex((line) => WAY.test(line));
  const source = rest.slice(0, after).findLast((line) => SOURCE.test(line));
  const place = source === undefined ? undefined : SOURCE.exec(source)?.[1];
  return {
    program: BEGIN.exec(lines[begin] as string)?.[1] as string,
    finding: rest[after - 1] as string,
    ...(place === undefined ? {} : { place }),
    words: [
      ...rest.slice(Math.max(0, after - 1 - LINES_BEFORE), after),
      ...explanation.slice(0, way < 0 ? LINES_OF_EXPLANATION : Math.min(way, LINES_OF_EXPLANATION)),
      ...(end < 0 ? [] : rest.slice(end + 1, end + 1 + LINES_OF_LOADER)),
    ].join('\n'),
  };
}
