// SPDX-License-Identifier: Apache-2.0
import type { LoadCost, MachineCost } from './measure.ts';

/** What the table was measured with. */
export interface CostFacts {
  /** ISO date. */
  readonly date: string;
  readonly qemu: string;
  /** Processor model of the host. */
  readonly processor: string;
  readonly command: string;
}

/** Figures above these are marked: processor seconds of a virtual second, idle, and for each vCPU of a busy machine. */
export const WANTED = { idle: 0.1, busyPerVcpu: 0.5 } as const;

/** Markdown: processor seconds a virtual second by machine and load, then what a machine costs besides. */
export function costTable(machines: readonly MachineCost[], facts: CostFacts): string[] {
  const loads = machines[0]?.loads.map(({ load }) => load) ?? [];
  return [
    `Measured ${facts.date} with \`${facts.command}\`, QEMU ${facts.qemu}, ${facts.processor}. Processor seconds for each virtual second:`,
    '',
    ...table(
      ['vCPUs', 'quantum', ...loads],
      machines.map(({ vcpus, quantum, loads: costs }) => [
        String(vcpus),
        String(quantum),
        ...costs.map((cost) => cell(cost, vcpus)),
      ]),
    ),
    '',
    `\`*\`: above ${WANTED.idle} idle, or ${WANTED.busyPerVcpu} a vCPU busy. What else a machine of 1 GiB costs, host seconds:`,
    '',
    ...table(
      ['vCPUs', 'quantum', 'boot to fork point', 'snapshot', 'MiB on disk', 'start of a fork'],
      machines.map((each) => [
        String(each.vcpus),
        String(each.quantum),
        each.bootSeconds.toFixed(1),
        each.snapshotSeconds.toFixed(1),
        String(each.snapshotMiB),
        each.restoreSeconds.toFixed(2),
      ]),
    ),
  ];
}

function cell({ load, processor }: LoadCost, vcpus: number): string {
  if (processor === undefined) return '-';
  const wanted = load === 'idle' ? WANTED.idle : WANTED.busyPerVcpu * vcpus;
  return `${processor.toFixed(processor < 0.1 ? 3 : 2)}${processor > wanted ? ' *' : ''}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---:')), ...rows.map(line)];
}
