// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../core/printable.ts';
import type { Health, Status } from '../contracts.ts';

/** The daemon's state as a person reads it: a line a subject. */
export function statusLines(status: Status): string[] {
  const { mode, why, policy, kernel, dry, window, selection, map, cost, faults, quarantine } = status;
  const ops = kernel.ops === undefined ? '' : `, ${kernel.ops}`;
  const rows: [string, string][] = [
    ['mode', `${mode}${dry ? ', dry run' : ''}${why === undefined ? '' : `: ${firstLine(why)}`}`],
    ['policy', `${policy}${dry ? ' (would be)' : ''}; the kernel says ${kernel.state}${ops}`],
    ['dwell', status.dwellLeftMs > 0 ? `${(status.dwellLeftMs / 1000).toFixed(1)} s left` : 'over'],
    ['switches', `${status.switchesInLastHour} in the last hour, at most ${status.switchesAnHour}`],
    ['looks', looks(status)],
    ...(status.restingMs === undefined
      ? []
      : ([['probes', `rest for ${(status.restingMs / 1000).toFixed(1)} s, as nothing changes`]] as [
          string,
          string,
        ][])),
    ...(selection === undefined
      ? []
      : ([['wanted', `${selection.policy}: ${selection.why}`]] as [string, string][])),
    ['health', window === undefined ? 'no window yet' : healthText(window.health)],
    ...quarantine.map(({ policy: id, leftMs, times, why: cause }): [string, string] => [
      'quarantine',
      `${id} for ${(leftMs / 1000).toFixed(0)} s more, time ${times}: ${firstLine(cause)}`,
    ]),
    ['map', map.fault === undefined ? `${map.source} (${map.features})` : map.fault],
    ['cost', costText(cost)],
    ...faults.map((fault): [string, string] => ['fault', firstLine(fault)]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(11)}${printable(text)}`);
}

/** What the machine looks like, by the nearest known situation. */
function looks({ window, selection }: Status): string {
  if (window?.unknown !== undefined) return `unknown: ${window.unknown}`;
  const [first] = selection?.neighbours ?? [];
  if (first === undefined)
    return selection === undefined ? 'no window yet' : 'like nothing that the map knows';
  return `like ${first.workload} (distance ${first.distance.toFixed(2)} of 2)${selection?.novel ? ', too far to conclude anything' : ''}`;
}

export function healthText(health: Health): string {
  const { waitP99Us, waitMeanUs, pressure, busy, progress, progressUnit } = health;
  const share = (value: number) => `${(100 * value).toFixed(0)} %`;
  const parts = [
    busy === undefined ? undefined : `busy ${share(busy)}`,
    waitMeanUs === undefined ? undefined : `wait ${waitMeanUs.toFixed(0)} us`,
    waitP99Us === undefined ? undefined : `p99 ${waitP99Us.toFixed(0)} us`,
    ...(['cpu', 'io', 'memory'] as const).map((name) => {
      const value = pressure[name];
      return value === undefined ? undefined : `${name} pressure ${share(value)}`;
    }),
    progress === undefined ? undefined : `${progress.toPrecision(3)} ${progressUnit}/s`,
  ];
  return parts.filter((part) => part !== undefined).join(', ') || 'not known';
}

function costText({ cpuSeconds, upSeconds, rssBytes }: Status['cost']): string {
  const share = upSeconds > 0 ? (100 * cpuSeconds) / upSeconds : 0;
  return `${cpuSeconds.toFixed(1)} s of CPU in ${upSeconds.toFixed(0)} s (${share.toFixed(2)} %), ${(rssBytes / 2 ** 20).toFixed(0)} MiB`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] as string;
}
