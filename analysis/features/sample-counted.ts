// SPDX-License-Identifier: Apache-2.0
import { PROBE_COUNTERS, type ProbeSet, type ProbeValues } from '../../harness/core/probe-counters.ts';
import type { Counted } from './counted.ts';

type Values = Record<string, number | number[]>;

/** Made-up counters: all 0, but for `over`. A list is put at the beginning of its histogram. */
export function sampleCounted(
  over: { readonly [set in ProbeSet]?: Values } = {},
  durationNs = 1e9,
  vcpus = 4,
): Counted {
  const sets = Object.entries(PROBE_COUNTERS).map(([set, layout]) => {
    const values: Record<string, number | number[]> = {};
    for (const [name, length] of Object.entries(layout)) {
      const given = over[set as ProbeSet]?.[name];
      if (length === 1) values[name] = given ?? 0;
      else values[name] = Array.from({ length }, (_, at) => (Array.isArray(given) ? (given[at] ?? 0) : 0));
    }
    return [set, values as ProbeValues] as const;
  });
  return { durationNs, vcpus, sets: Object.fromEntries(sets) };
}

/** A histogram with `counts` from bucket `first` on. */
export function histogramFrom(first: number, ...counts: number[]): number[] {
  return [...Array.from({ length: first }, () => 0), ...counts];
}

/** A machine half busy: 2 of 4 processor seconds, in 1000 runs. `scale` times as much of everything. */
export function halfBusy(scale = 1): Counted {
  const n = (count: number) => count * scale;
  const list = (...counts: number[]) => counts.map(n);
  return sampleCounted(
    {
      cpu: {
        switch_sleep: n(800),
        switch_preempt: n(200),
        switch_from_idle: n(600),
        switch_to_idle: n(400),
        sleep_in: list(0, 80, 40, 8, 16, 0, 160, 0, 240, 0, 0, 40, 8, 0, 0),
        sleep_kernel: n(80),
        run_ns: n(2e9),
        // 300 of 2 to 4 us, 600 of 131 to 262 us, 100 of 4.2 to 8.4 ms.
        run: histogramFrom(2, n(300), 0, 0, 0, 0, 0, n(600), 0, 0, 0, 0, n(100)),
        wait_ns: n(0.5e9),
        wait: histogramFrom(5, n(900), 0, 0, 0, 0, 0, n(100)),
        migrations: n(50),
        depth: list(400, 600, 400, 0, 200),
        wake: n(800),
        wake_by_idle: n(80),
        wake_same_process: n(400),
        wake_same_cpu: n(200),
        wake_sync: n(160),
        wake_pair: list(200, 200, 200, 200),
        fork: n(6),
      },
      mem: { fault_handled: n(2046), pages_allocated: n(30), reclaim_scanned: 0 },
      io: { bio: n(14), bio_bytes: n(14 * 4095) },
      net: {
        receive: n(510),
        receive_bytes: n(510 * 127),
        send: n(300),
        receive_call: n(100),
        send_unix: n(75),
        receive_call_unix: n(25),
      },
    },
    n(1e9),
  );
}
