// SPDX-License-Identifier: Apache-2.0

/** Longer lines are cut: the kernel's own end there (`LOG_LINE_MAX`, include/linux/printk.h), and no workload's line with a figure comes near. */
export const LONGEST_LINE = 1024;
/** Of longer texts the end counts. The guest's agent sends half of it (`OUTPUT_LIMIT`, bpf/guest/agent/agent.h). */
export const LONGEST_TEXT = 512 * 1024;

/**
 * A guest's text as patterns may be run over it. A guest is not trusted, and a pattern may take time that grows with the square of a line: with
 * lines and text bounded, so is the time.
 */
export function boundedText(text: string): string {
  const end = text.length > LONGEST_TEXT ? text.slice(-LONGEST_TEXT) : text;
  if (!hasLongLine(end)) return end;
  return end
    .split('\n')
    .map((line) => line.slice(0, LONGEST_LINE))
    .join('\n');
}

function hasLongLine(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at);
    if ((next < 0 ? text.length : next) - at > LONGEST_LINE) return true;
    at = next < 0 ? text.length : next + 1;
  }
  return false;
}
