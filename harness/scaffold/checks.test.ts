// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Policy, PolicySchema } from '../core/policy.ts';
import { type Workload, WorkloadSchema } from '../core/workload.ts';
import type { Check } from './check.ts';
import { checkDriver } from './check-driver.ts';
import { checkPolicies } from './check-policies.ts';
import { checkPolicy } from './check-policy.ts';
import { checkWorkload } from './check-workload.ts';

const TIME = { unit: 's', direction: 'lower', primary: true, pattern: '^time (\\S+) s$', about: 'a' };

function workload(changes: object): Workload {
  const definition = WorkloadSchema.parse({
    ...{ summary: 'a', class: 'cpu', source: 'a', seed: 'a', deadline_s: 9, takes_s: { exact: 1, kvm: 1 } },
    params: { loops: { type: 'int', min: 1, max: 9, default: 3, about: 'a' } },
    argv: ['/bin/own', `\${loops}`, `\${seed}`],
    metrics: { time: TIME },
    ...changes,
  });
  return { id: 'own', definition };
}

function policy(id: string, definition: object): Policy {
  const words = { summary: 'a', suits: 'a', weakness: 'a', source: 'a' };
  return { id, definition: PolicySchema.parse({ ...words, ...definition }) };
}

async function folder(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-checks-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const SAMPLES = {
  'workloads/own/samples/default.txt': 'time 1.5 s\n',
  'workloads/own/samples/default.json': '{ "time": 1.5 }',
  'workloads/own/samples/bad-empty.txt': '',
  'workloads/own/samples/bad-empty.json': '{ "reason": "no output" }',
};
const faultsOf = (checks: readonly Check[]) => checks.flatMap(({ fault }) => fault ?? []);

test('a workload that is as it should be has no fault', async (t) => {
  const root = await folder(t, SAMPLES);
  const checks = await checkWorkload(root, workload({}));
  const [bad = '', ...others] = faultsOf(checks);
  t.deepEqual(others, []);
  // The reason is as the extraction words it; a wrong one is told.
  t.regex(bad, /^read \{"reason":".+"\}, expected \{"reason":"no output"\}$/);
});

test('every way in which a workload breaks its contract is told', async (t) => {
  const root = await folder(t, { ...SAMPLES, 'workloads/own/guest/there.sh': '' });
  const faults = async (changes: object) => faultsOf(await checkWorkload(root, workload(changes))).slice(1);
  t.deepEqual(await faults({ argv: ['own', `\${loops}`] }), ['the program own is no absolute path']);
  t.deepEqual(await faults({ argv: ['/bin/own', 'undefined', `\${loops}`] }), ['undefined is not filled in']);
  t.deepEqual(await faults({ argv: ['/bin/own'] }), [
    'loops 1 gives the same command as the defaults; loops 9 gives the same command as the defaults',
  ]);
  const files = '/opt/pmvx/files';
  t.deepEqual(
    await faults({ argv: [`${files}/own/there.sh`, `${files}/own/not.sh`, `${files}/other/x`, `\${loops}`] }),
    [`${files}/own/not.sh: there is no workloads/own/guest/not.sh; ${files}/other/x is another workload's`],
  );
  t.deepEqual(await faults({ servers: [{ argv: ['served'], ready: { port: 80 } }] }), [
    'the server served is no absolute path',
  ]);
  const duration_s = { type: 'int', min: 1, max: 9, default: 3, about: 'a' };
  t.deepEqual(await faults({ params: { duration_s }, argv: ['/bin/own', `\${duration_s}`] }), [
    'the parameter duration_s sets how long a run lasts, and its end is "work"',
  ]);
});

test('a tail without its distribution, and a percentile that is none of it, are told', async (t) => {
  const output = 'late_p99 900 us\nlate_hist 100 99\nlate_hist 200 1\n';
  const root = await folder(t, {
    'workloads/own/samples/default.txt': output,
    'workloads/own/samples/default.json': '{ "late_p99": 900 }',
    'workloads/own/samples/bad-cut.txt': '',
  });
  const late = { ...TIME, unit: 'us', pattern: '^late_p99 (\\S+) us$' };
  const without = faultsOf(
    await checkWorkload(root, workload({ ends: 'time', metrics: { late_p99: late } })),
  );
  t.true(without.includes('late_p99 has no histogram'));
  const histogram = { pattern: '^late_hist (?<value>\\S+) (?<count>\\d+)$' };
  const wrong = faultsOf(
    await checkWorkload(root, workload({ metrics: { late_p99: { ...late, histogram } } })),
  );
  t.regex(wrong.join('\n'), /default\.txt: late_p99 900 is not in \S+ to \S+$/m);
});

test('a folder without samples is told', async (t) => {
  const faults = faultsOf(await checkWorkload(await folder(t, {}), workload({})));
  t.deepEqual(faults, [
    'no sample of good output in workloads/own/samples; no sample of bad output (bad-*.txt) in workloads/own/samples',
  ]);
});

const DRIVER = (digest: string, value: string) => `// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "../driver.h"
static long loops, seed;
static const struct option known[] = { { "loops", &loops, 9, NULL }, { "seed", &seed, 2147483647, NULL } };
int main(int argc, char **argv)
{
	parse(argc, argv, known, 2);
	printf("time %s s\\nwork_digest %016llx hex\\n", "${value}", (unsigned long long)mix((uint64_t)(${digest})));
	return 0;
}
`;

async function driverFaults(t: ExecutionContext, source: string): Promise<string[]> {
  const root = await folder(t, { 'workloads/own/own.c': source });
  await cp(join(import.meta.dirname, '../../workloads/driver.h'), join(root, 'workloads/driver.h'));
  const argv = ['/opt/pmvx/work/own', '--loops', `\${loops}`, '--seed', `\${seed}`];
  return faultsOf(await checkDriver(root, workload({ source: 'driver', argv })));
}

test('a driver is built and run: its output, its seed, its refusals', async (t) => {
  t.deepEqual(await driverFaults(t, DRIVER('seed', '0.5')), []);
  t.regex((await driverFaults(t, 'int main(void) { int x; }')).join(), /unused variable/);
  t.regex((await driverFaults(t, DRIVER('loops', '0.5'))).join(), /^both [0-9a-f]{16}$/);
  t.regex((await driverFaults(t, DRIVER('now_ns()', '0.5'))).join(), /^[0-9a-f]{16}, then [0-9a-f]{16}$/);
  t.regex((await driverFaults(t, DRIVER('seed', 'nan'))).join(), /time/);
  const deaf = DRIVER('seed', '0.5')
    .replace('exit(2)', '')
    .replace('parse(argc', 'if (argc == 5) parse(argc');
  t.regex((await driverFaults(t, deaf)).join(), /"--bogus" gave status 0/);
});

test('every way in which a policy breaks its contract is told', async (t) => {
  const root = await folder(t, {
    'bpf/policies/own/own.bpf.c': 'const volatile u64 slice_ns = 1;\n\t.name = "other"\n',
  });
  const faults = async (id: string, definition: object) =>
    faultsOf(await checkPolicy(root, policy(id, definition)));
  const process = { kind: 'process', argv: ['/opt/pmvx/sched/scx_own'], ops: 'own' };
  t.deepEqual(await faults('scx_own', process), []);
  t.deepEqual(await faults('own', { ...process, ops: 'x', crate: 'scx_other@1.0.0' }), [
    'ops is x, expected own_*; crate scx_other@1.0.0 has no scx_own; the folder of a variant is scx_own-*',
  ]);
  t.deepEqual(await faults('own', { ...process, argv: ['/bin/own'] }), [
    '/bin/own is no /opt/pmvx/sched/scx_*',
  ]);
  t.deepEqual(await faults('own', { kind: 'struct_ops', ops: 'own', constants: { depth: 1 } }), [
    '.name is other, ops is own; it has no licence "GPL"; it has no "const volatile" depth',
  ]);
  t.deepEqual(await faults('gone', { kind: 'struct_ops', ops: 'own' }), [
    'there is no bpf/policies/gone/gone.bpf.c',
  ]);
  const setting = { path: '/proc/sys/vm/swappiness', value: '1' };
  t.deepEqual(
    await faults('own', {
      kind: 'knob',
      subsystem: 'network',
      settings: [setting, { ...setting, reads: '[1] ' }],
    }),
    [
      [
        `${setting.path} is not where settings of network are`,
        `${setting.path} is not where settings of network are`,
        `${setting.path} is set twice`,
        `${setting.path}: the guest trims what it reads, and expects "[1] "`,
        `${setting.path}: of a choice the guest reads what is in the brackets`,
      ].join('; '),
    ],
  );
  const disk = { path: '/sys/block/nullb0/queue/scheduler', value: 'none' };
  t.deepEqual(await faults('own', { kind: 'knob', subsystem: 'io', settings: [disk] }), [
    'no module of it makes nullb0; null_blk makes nullb0, nullb1, ...',
  ]);
});

test('policies that do the same, and modules with other options, are told', (t) => {
  const process = { kind: 'process', argv: ['/opt/pmvx/sched/scx_own'], ops: 'own' };
  const setting = (value: string, module: string) => ({
    ...{ kind: 'knob', subsystem: 'memory', modules: [module] },
    settings: [{ path: '/proc/sys/vm/swappiness', value }],
  });
  const all = [policy('a', process), policy('b', process), policy('c', setting('1', 'm x=1'))];
  t.deepEqual(faultsOf(checkPolicies([...all, policy('d', setting('2', 'm x=2'))])), [
    'a, b are the same',
    'm x=1 and m x=2',
  ]);
  t.deepEqual(faultsOf(checkPolicies([policy('e', { kind: 'builtin' }), policy('f', { kind: 'builtin' })])), [
    'e, f',
  ]);
});
