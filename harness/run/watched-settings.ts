// SPDX-License-Identifier: Apache-2.0
import type { PolicyDefinition } from '../core/policy.ts';
import type { ChangedSetting } from '../core/trial.ts';

const DEBUG = '/sys/kernel/debug/sched/';
const SYSCTL = '/proc/sys/kernel/';

/** What EEVDF, the real-time classes and memory behave by, whatever the policies of the experiment are. */
const ALWAYS: readonly string[] = [
  ...['base_slice_ns', 'features', 'migration_cost_ns', 'nr_migrate', 'preempt', 'tunable_scaling'].map(
    (name) => DEBUG + name,
  ),
  ...['numa_balancing', 'sched_autogroup_enabled', 'sched_cfs_bandwidth_slice_us', 'sched_rt_period_us'].map(
    (name) => SYSCTL + name,
  ),
  ...['sched_rr_timeslice_ms', 'sched_rt_runtime_us', 'sched_util_clamp_max', 'sched_util_clamp_min'].map(
    (name) => SYSCTL + name,
  ),
  '/sys/kernel/mm/transparent_hugepage/enabled',
];

/** A CPU that goes offline is an event of the machine, which a workload may be about: a note, and no fault. */
export const ONLINE_CPUS = '/sys/devices/system/cpu/online';

const MOST = 64;

/**
 * Settings that are read before and after a trial: those above, and all that a policy of the experiment sets, so that the baseline has them as
 * the others do. None where the run itself switches policies.
 */
export function watchedSettings(policies: readonly PolicyDefinition[]): readonly string[] {
  if (policies.some((policy) => policy.kind === 'builtin' && policy.switches === true)) return [];
  const own = policies.flatMap((policy) => (policy.kind === 'knob' ? policy.settings : []));
  return [...new Set([...ALWAYS, ONLINE_CPUS, ...own.map(({ path }) => path)])].slice(0, MOST);
}

/** `/proc/sys/kernel/x from "1" to "2"`; of a long list the words that differ. */
export function changeInWords({ path, before, value }: ChangedSetting): string {
  const was = before.split(/\s+/);
  const is = value.split(/\s+/);
  const gone = was.filter((word) => !is.includes(word)).join(' ');
  const come = is.filter((word) => !was.includes(word)).join(' ');
  const few = was.length > 1 && is.length > 1 && gone !== '' && come !== '';
  return few ? `${path} from "${gone}" to "${come}"` : `${path} from "${before}" to "${value}"`;
}
