// SPDX-License-Identifier: Apache-2.0
// What a program in the guest says to the test on the host: a JSON line a step.

export interface Step {
  readonly step: string;
  /** Guest's monotonic clock, ms since the program began. */
  readonly ms: number;
  readonly [detail: string]: unknown;
}

const began = performance.now();

export function tell(step: string, details: Readonly<Record<string, unknown>> = {}): void {
  console.log(
    JSON.stringify({ step, ms: Math.round((performance.now() - began) * 1000) / 1000, ...details }),
  );
}

/** Lines of a program's output that are steps. */
export function stepsOf(output: string): Step[] {
  return output.split('\n').flatMap((line) => {
    if (!line.startsWith('{"step":')) return [];
    return [JSON.parse(line) as Step];
  });
}
