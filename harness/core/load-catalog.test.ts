// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { absence, brokenWords } from './catalog.ts';
import { PmvxError } from './errors.ts';
import { loadCatalog } from './load-catalog.ts';

const POLICY = 'kind: builtin\nsummary: a\nsuits: a\nweakness: a\nsource: a\n';
const WORKLOAD = `summary: a
class: ipc
source: a
params:
  mode: { type: choice, values: [fast, slow], default: fast, about: a }
  loops: { type: int, min: 1, max: 9, default: 3, about: a }
seed: a
argv: [/bin/x, { if: mode, is: fast, add: [-f] }, "\${loops}", "\${seed}"]
warmup: { loops: 1 }
metrics:
  time: { unit: s, direction: lower, primary: true, pattern: '(.)', about: a }
deadline_s: 60
takes_s: { exact: 1, kvm: 1 }
`;

async function projectOf(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-catalog-'));
  t.teardown(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

async function faultsOf(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string[]> {
  const error = await t.throwsAsync(loadCatalog(await projectOf(t, files)), { instanceOf: PmvxError });
  t.is(error?.code, 2);
  return error?.message.split('\n') ?? [];
}

/** Faults of a project whose one workload has some of its text replaced. */
function workloadFaults(t: ExecutionContext, from: string | RegExp, to: string): Promise<string[]> {
  const text = WORKLOAD.replace(from, to);
  t.not(text, WORKLOAD);
  return faultsOf(t, { 'workloads/w/workload.yaml': text, 'bpf/policies/p/policy.yaml': POLICY });
}

test('each folder is one definition, and ids come sorted', async (t) => {
  const root = await projectOf(t, {
    'workloads/b/workload.yaml': WORKLOAD,
    'workloads/a/workload.yaml': WORKLOAD,
    'workloads/README.md': 'not a folder',
    'bpf/policies/p/policy.yaml': POLICY,
    'vm-images/recipes/quick.yaml': '',
    'vm-images/recipes/notes.txt': '',
  });
  const catalog = await loadCatalog(root);
  t.deepEqual([...catalog.workloads.keys()], ['a', 'b']);
  t.is(catalog.workloads.get('a')?.id, 'a');
  t.is(catalog.policies.get('p')?.definition.kind, 'builtin');
  t.deepEqual(catalog.recipes, ['quick']);
});

const SCHEDULER = (crate: string, program = 'scx_a'): string =>
  `kind: process\nsummary: a\nsuits: a\nweakness: a\nsource: a\ncrate: ${crate}\nargv: [/opt/${program}]\nops: a\n`;

test('a definition with a fault is left out, with its faults, and the others are there', async (t) => {
  const root = await projectOf(t, {
    'workloads/a/workload.yaml': WORKLOAD,
    'workloads/b/workload.yaml': 'class: [',
    'workloads/c/workload.yaml/not-a-file': '',
    'bpf/policies/p/policy.yaml': POLICY,
    'bpf/policies/r/policy.yaml': '',
    'vm-images/recipes/full.yaml': 'guest: [x]\nworkloads: all\npolicies: all\n',
  });
  const catalog = await loadCatalog(root);
  t.deepEqual([...catalog.workloads.keys()], ['a']);
  t.deepEqual([...catalog.policies.keys()], ['p']);
  t.deepEqual(catalog.images?.get('full'), { packages: ['x'], crates: [] });
  t.deepEqual([...(catalog.broken?.keys() ?? [])], ['workloads/b', 'workloads/c', 'bpf/policies/r']);
  t.regex(
    absence('workload', 'c', catalog).what,
    /cannot be used: workloads\/c\/workload.yaml: cannot be read \(EISDIR\)/,
  );
  t.deepEqual(absence('policy', 'r', catalog), {
    what: 'policy "r" cannot be used: bpf/policies/r/policy.yaml:1:1: the file is empty',
    next: 'Write a mapping of keys to values',
  });
  t.is(absence('policy', 's', catalog).what, 'there is no policy "s"');
  const words = brokenWords(catalog) ?? '';
  t.regex(
    words,
    /^workloads\/b is left out: workloads\/b\/workload.yaml:1:\d+: .*; 2 more are left out, too\. `pmvx lint` says all$/,
  );
  t.false(words.includes('\n'));
  t.is(brokenWords({ ...catalog, broken: new Map() }), undefined);
});

test('two pins of one program are no policies, for both would run the same file', async (t) => {
  const root = await projectOf(t, {
    'workloads/a/workload.yaml': WORKLOAD,
    'bpf/policies/new/policy.yaml': SCHEDULER('scx_a@1.1.4'),
    'bpf/policies/old/policy.yaml': SCHEDULER('scx_a@1.1.3'),
    'bpf/policies/other/policy.yaml': SCHEDULER('scx_b@1.1.3', 'scx_b'),
    'bpf/policies/other-args/policy.yaml': SCHEDULER('scx_b@1.1.3', 'scx_b, -f'),
    'bpf/policies/p/policy.yaml': POLICY,
  });
  const catalog = await loadCatalog(root);
  t.deepEqual([...catalog.policies.keys()], ['other', 'other-args', 'p']);
  const { what, next } = absence('policy', 'old', catalog);
  t.is(
    what,
    'policy "old" cannot be used: bpf/policies/old/policy.yaml:6:8: scx_a@1.1.3 is the same program as scx_a@1.1.4 of policy new (bpf/policies/new/policy.yaml:6:8), and an image has one of them: both would run the same file',
  );
  t.is(next, 'Keep one of the two');
  t.regex(
    absence('policy', 'new', catalog).what,
    /scx_a@1.1.4 is the same program as scx_a@1.1.3 of policy old/,
  );
});

test('a pinned program and one of the kernel source under one name are one file, too', async (t) => {
  const root = await projectOf(t, {
    'workloads/a/workload.yaml': WORKLOAD,
    'bpf/policies/pinned/policy.yaml': SCHEDULER('scx_a@1.1.4'),
    'bpf/policies/plain/policy.yaml': SCHEDULER('x').replace('crate: x\n', ''),
    'bpf/policies/p/policy.yaml': POLICY,
  });
  const catalog = await loadCatalog(root);
  t.deepEqual([...catalog.policies.keys()], ['p']);
  t.regex(
    absence('policy', 'plain', catalog).what,
    /plain\/policy.yaml:6:8: \/opt\/scx_a of the kernel's source is the same/,
  );
});

test('the faults of all files are reported at once, with their places', async (t) => {
  const faults = await faultsOf(t, {
    'workloads/a/workload.yaml': WORKLOAD.replace('class: ipc', 'class: icp'),
    'workloads/b/notes.txt': '',
    'workloads/B c/workload.yaml': WORKLOAD,
    'bpf/policies/p/policy.yaml':
      'kind: process\nsummary: a\nsuits: a\nweakness: a\nsource: a\nargv: [x]\nops: a\n',
    'bpf/policies/q/policy.yaml': `${POLICY}opps: a\n`,
    'bpf/policies/r/policy.yaml': '',
    'bpf/policies/s/policy.yaml': `${POLICY.replace('builtin', 'struct_ops')}ops: s\n`,
    'bpf/policies/s/other.bpf.c': '',
  });
  t.deepEqual(faults, [
    'workloads/B c: a folder here must be named in lower-case letters, digits, dots, dashes and underscores. Rename it',
    'workloads/a/workload.yaml:2:8: class must be one of ipc, pipeline, network, cpu, memory, io, mixed, got "icp". Did you mean ipc?',
    'workloads/b: there is no workload.yaml. Write it, or remove the folder',
    'bpf/policies/p/policy.yaml:6:8: the first argument must be an absolute path, got "x". The guest searches no PATH',
    'bpf/policies/q/policy.yaml:6:1: unknown key opps. Known are: kind, summary, suits, weakness, source, switches',
    'bpf/policies/r/policy.yaml:1:1: the file is empty. Write a mapping of keys to values',
    'bpf/policies/s/policy.yaml:1:7: there is no s.bpf.c beside this file. Add it, or choose another kind',
  ]);
});

test('a folder that holds no definitions is not taken for an empty project', async (t) => {
  const root = await projectOf(t, { 'bpf/policies/p/policy.yaml': POLICY });
  await t.throwsAsync(loadCatalog(root), {
    message: `${root}/workloads: nothing is defined here. Is this the root of the project?`,
  });
});

const W = 'workloads/w/workload.yaml';
for (const [name, from, to, expected] of [
  [
    'a default out of range',
    'default: 3',
    'default: 10',
    [
      `${W}:6:48: the default of loops must be a whole number from 1 to 9, got 10. Change the default or the range`,
    ],
  ],
  [
    'a range upside down',
    'min: 1, max: 9',
    'min: 9, max: 1',
    [
      `${W}:6:28: min 9 is more than max 1. Swap them`,
      `${W}:9:18: loops must be a whole number from 9 to 1, got 1. Warm-up values obey the same range`,
    ],
  ],
  [
    'a default that is no choice',
    'default: fast',
    'default: fest',
    [`${W}:5:56: the default of mode must be one of fast, slow, got "fest". Change the default or the range`],
  ],
  [
    'a parameter named seed',
    'loops: { type',
    'seed: { type',
    [
      `${W}:6:9: a parameter must not be named seed. Rename it; the name is taken by the seed of the run`,
      `${W}:8:51: \${loops} names no parameter. Known are: mode, seed`,
      `${W}:9:18: loops is no parameter. Known are: mode, seed`,
    ],
  ],
  [
    'a placeholder that names nothing',
    /"\$\{loops\}"/,
    `"\${loops}\${lops}"`,
    [`${W}:8:51: \${lops} names no parameter. Did you mean loops?`],
  ],
  [
    'a broken placeholder',
    /"\$\{seed\}"/,
    `"\${seed"`,
    [`${W}:8:63: "\${seed" holds a broken placeholder. Write a dollar sign and the name in braces`],
  ],
  [
    'a parameter that nothing uses',
    /"\$\{loops\}", /,
    '',
    [`${W}:6:10: no argument uses loops. Use it in argv or remove it`],
  ],
  [
    'a condition on a value that never is',
    'is: fast',
    'is: fats',
    [`${W}:8:32: mode is never "fats". Did you mean fast?`],
  ],
  [
    'a condition on a number',
    'if: mode',
    'if: loops',
    [
      `${W}:8:22: loops is no choice parameter. Known are: mode`,
      `${W}:5:9: no argument uses mode. Use it in argv or remove it`,
    ],
  ],
  [
    'a program without a path',
    '/bin/x',
    'x',
    [`${W}:8:8: the first argument must be an absolute path, got "x". The guest searches no PATH`],
  ],
  [
    'a warm-up of an unknown parameter',
    'warmup: { loops',
    'warmup: { loop',
    [`${W}:9:17: loop is no parameter. Did you mean loops?`],
  ],
  [
    'no primary metric',
    'primary: true, ',
    '',
    [`${W}:11:3: exactly one metric must be primary, got none. It is the one that ranks policies`],
  ],
  [
    'a pattern without a group',
    "'(.)'",
    "'(?:.)'",
    [`${W}:11:62: the pattern of time must have exactly one group, got 0. Group the number alone`],
  ],
  [
    'a pattern that does not compile',
    "'(.)'",
    "'('",
    [
      `${W}:11:62: the pattern of time does not compile: Invalid regular expression: /(|/gm: Unterminated group. Correct it`,
    ],
  ],
  [
    "a metric with the harness's own name",
    'time: { unit',
    'time_after: { unit',
    [`${W}:11:15: a metric must not be named time_after. Rename it; the name is the harness's own`],
  ],
  [
    'a warm-up time that no run reaches',
    'deadline_s: 60',
    'warm_s: { exact: 1, kvm: 0.9 }\ndeadline_s: 60',
    [
      `${W}:12:18: warm_s of exact must be less than its takes_s, 1, got 1. A run that has ended is at no point`,
    ],
  ],
  [
    'a value for real processors that is not legal',
    'warmup: { loops: 1 }',
    'kvm: { loops: 99, lops: 1, mode: fest }',
    [
      `${W}:9:15: loops must be a whole number from 1 to 9, got 99. Values for real processors obey the same range`,
      `${W}:9:25: lops is no parameter. Did you mean loops?`,
      `${W}:9:34: mode must be one of fast, slow, got "fest". Values for real processors obey the same range`,
    ],
  ],
  [
    'a server by a relative path with a placeholder that names nothing',
    'warmup: { loops: 1 }',
    `servers: [{ argv: [nginx, "\${lops}"], ready: { port: 80 } }]`,
    [
      `${W}:9:20: the first argument must be an absolute path, got "nginx". The guest searches no PATH`,
      `${W}:9:27: \${lops} names no parameter. Did you mean loops?`,
    ],
  ],
  [
    'a distribution without its named groups',
    `'(.)', about`,
    `'(.)', histogram: { pattern: '(.+) (?<count>.+)' }, about`,
    [
      `${W}:11:91: the pattern of a histogram must have the groups value and count, got ["count"]. Write (?<value>...) and (?<count>...)`,
    ],
  ],
  [
    'a count of values that are not told without its named group',
    `'(.)', about`,
    `'(.)', histogram: { pattern: '(?<value>.)(?<count>.)', beyond: '(?<bound>.)' }, about`,
    [`${W}:11:125: beyond of a histogram must have the group count, got ["bound"]. Write (?<count>...)`],
  ],
  [
    'a part of the output that no expression names',
    `'(.)', about`,
    `'(.)', histogram: { pattern: '(?<value>.)(?<count>.)', within: { from: '(', to: x } }, about`,
    [
      `${W}:11:133: a pattern of the histogram of time does not compile: Invalid regular expression: /(|/gm: Unterminated group. Correct it`,
    ],
  ],
  [
    'a part of the output with a beginning and no end',
    `'(.)', about`,
    `'(.)', histogram: { pattern: '(?<value>.)(?<count>.)', within: { from: x } }, about`,
    [`${W}:11:125: metrics.time.histogram.within.to is missing. Add it; it must be text`],
  ],
  [
    'a driver without its source',
    'source: a',
    'source: driver',
    [
      `${W}:3:9: there is no w.c beside this file. Add it, or name the Debian package as source`,
      `${W}:8:8: a driver must be run as /opt/pmvx/work/w, got "/bin/x". Correct the path`,
    ],
  ],
] as const) {
  test(`${name} is a fault`, async (t) => {
    t.deepEqual(await workloadFaults(t, from, to), [...expected]);
  });
}
