// SPDX-License-Identifier: Apache-2.0
import type { Status } from '../contracts.ts';

/** What is counted over a daemon's life. */
export interface Counts {
  readonly windows: number;
  readonly switches: ReadonlyMap<string, number>;
  readonly refusals: number;
  readonly departures: number;
  readonly unknown: number;
  /** In which probes rested, up to the last window, s. */
  readonly restSeconds: number;
  /** Of the last switch, s. */
  readonly gapSeconds?: number | undefined;
  /** From the end of the last window to its decision, s. */
  readonly decisionSeconds?: number | undefined;
}

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info';
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly (readonly [
    labels: Readonly<Record<string, string>>,
    value: number | undefined,
  ])[];
}

/** The state of the daemon as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/). What is not known has no sample. */
export function openMetrics(status: Status, counts: Counts): string {
  const families = familiesOf(status, counts);
  return `${families.flatMap(linesOf).join('\n')}\n# EOF\n`;
}

/** The content type that a scraper is told. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

function familiesOf(status: Status, counts: Counts): Family[] {
  const { policy, kernel, window, selection, cost, quarantine } = status;
  const health = window?.health;
  const one = (value: number | undefined) => [[{}, value]] as const;
  const gauge = (name: string, help: string, value: number | undefined, unit?: string): Family => ({
    name,
    type: 'gauge',
    help,
    samples: one(value),
    ...(unit === undefined ? {} : { unit }),
  });
  return [
    {
      name: 'pmvx_autotune_policy',
      type: 'info',
      help: 'Policy in effect, and what the kernel calls its scheduler.',
      samples: [
        [{ policy, ops: kernel.ops ?? '', kernel_state: kernel.state, dry_run: String(status.dry) }, 1],
      ],
    },
    {
      name: 'pmvx_autotune_mode',
      type: 'gauge',
      help: '1 for the mode that the daemon is in.',
      samples: (['running', 'killed', 'stepped-aside', 'stopping'] as const).map(
        (mode) => [{ mode }, Number(status.mode === mode)] as const,
      ),
    },
    {
      name: 'pmvx_autotune_windows',
      type: 'counter',
      help: 'Windows that were decided about.',
      samples: one(counts.windows),
    },
    {
      name: 'pmvx_autotune_unknown_windows',
      type: 'counter',
      help: 'Windows that said nothing about how the machine looks.',
      samples: one(counts.unknown),
    },
    {
      name: 'pmvx_autotune_rest_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'Time in which probes rested, up to the last window.',
      samples: one(counts.restSeconds),
    },
    {
      name: 'pmvx_autotune_switches',
      type: 'counter',
      help: 'Switches by the policy that they led to.',
      samples: [...counts.switches].map(([to, value]) => [{ to }, value] as const),
    },
    {
      name: 'pmvx_autotune_refusals',
      type: 'counter',
      help: 'Switches that the kernel refused.',
      samples: one(counts.refusals),
    },
    {
      name: 'pmvx_autotune_departures',
      type: 'counter',
      help: 'Policies that went without having been asked to.',
      samples: one(counts.departures),
    },
    gauge(
      'pmvx_autotune_gap_seconds',
      'Time under plain EEVDF within the last switch.',
      counts.gapSeconds,
      'seconds',
    ),
    gauge(
      'pmvx_autotune_decision_seconds',
      'From the end of the last window to its decision.',
      counts.decisionSeconds,
      'seconds',
    ),
    gauge(
      'pmvx_autotune_dwell_left_seconds',
      'Time until a switch is allowed.',
      status.dwellLeftMs / 1000,
      'seconds',
    ),
    gauge('pmvx_autotune_quarantined_policies', 'Policies in quarantine.', quarantine.length),
    gauge('pmvx_autotune_faults', 'Things that do not work now.', status.faults.length),
    gauge(
      'pmvx_autotune_nearest_distance',
      'Chord from the last window to the nearest known situation, 0 to 2.',
      selection?.neighbours[0]?.distance,
    ),
    gauge(
      'pmvx_autotune_expected_ratio',
      "Expected cost of the wanted policy over EEVDF's.",
      selection?.interval?.ratio,
      'ratio',
    ),
    gauge(
      'pmvx_autotune_wait_p99_seconds',
      '99th percentile of waiting for a CPU in the last window.',
      scaled(health?.waitP99Us, 1e-6),
      'seconds',
    ),
    gauge(
      'pmvx_autotune_wait_mean_seconds',
      'Mean wait for a CPU in the last window.',
      scaled(health?.waitMeanUs, 1e-6),
      'seconds',
    ),
    {
      name: 'pmvx_autotune_pressure_ratio',
      type: 'gauge',
      unit: 'ratio',
      help: 'Share of the last window in which some task waited for a resource.',
      samples: (['cpu', 'io', 'memory'] as const).map(
        (resource) => [{ resource }, health?.pressure[resource]] as const,
      ),
    },
    gauge(
      'pmvx_autotune_busy_ratio',
      'Busy share of the processors in the last window.',
      health?.busy,
      'ratio',
    ),
    {
      name: 'pmvx_autotune_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'CPU time of the daemon itself.',
      samples: one(cost.cpuSeconds),
    },
    gauge(
      'pmvx_autotune_resident_memory_bytes',
      'Resident memory of the daemon itself.',
      cost.rssBytes,
      'bytes',
    ),
  ];
}

function linesOf({ name, type, unit, help, samples }: Family): string[] {
  const known = samples.filter(([, value]) => value !== undefined);
  if (known.length === 0) return [];
  const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...known.map(([labels, value]) => `${name}${suffix}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
