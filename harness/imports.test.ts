// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'ava';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * Which parts a part may import, besides itself. A part is named by the longest of these prefixes that its path starts
 * with; a file without one fails the test, so that a new folder gets its rule when it gets its first file.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'harness/core/': [],
  'harness/spec/': ['harness/core/'],
  'harness/plan/': ['harness/core/'],
  'harness/lab/': ['harness/core/'],
  'harness/scaffold/': ['harness/core/'],
  'harness/store/': ['harness/core/'],
  'harness/trace/': ['harness/core/', 'harness/lab/', 'harness/run/', 'harness/store/'],
  'analysis/': ['harness/core/'],
  'harness/run/': ['harness/core/', 'harness/lab/', 'harness/plan/', 'harness/store/'],
  'harness/scale/': ['harness/core/', 'harness/lab/', 'harness/plan/', 'harness/run/', 'harness/store/'],
  'harness/tune/': ['harness/core/', 'harness/lab/', 'harness/run/', 'analysis/'],
  'harness/whatif/': ['harness/core/', 'harness/lab/', 'harness/run/', 'analysis/'],
  'harness/replay/': [
    'harness/core/',
    'harness/lab/',
    'harness/plan/',
    'harness/spec/',
    'harness/runtime/',
    'analysis/',
  ],
  'harness/runtime/': ['harness/core/', 'analysis/policy-map/', 'analysis/features/', 'bpf/napi/'],
  'analysis/policy-map/': ['harness/core/', 'analysis/'],
  'bpf/napi/': [],
  'paper-figs/': ['harness/core/', 'analysis/', 'harness/store/'],
  'vm-images/builder/': ['harness/core/', 'harness/lab/'],
  'harness/commands/': [
    ...['harness/', 'analysis/', 'paper-figs/', 'vm-images/builder/', 'bpf/napi/', 'package.json'],
  ],
  'harness/cli.ts': ['harness/', 'analysis/', 'paper-figs/'],
  'harness/selftest/': [
    'harness/core/',
    'harness/lab/',
    'harness/store/',
    'harness/spec/',
    'harness/trace/',
    'harness/replay/read-day.ts',
    'harness/replay/day.ts',
    'harness/runtime/daemon/config.ts',
    'harness/run/',
    'harness/plan/',
    'analysis/',
    'vm-images/builder/',
  ],
  'harness/launcher/': [],
  'harness/testing/': ['harness/core/', 'analysis/stats/'],
  'harness/test-report.ts': ['harness/launcher/'],
  'harness/bench.ts': ['harness/', 'analysis/', 'paper-figs/'],
};

/** Wired by hand into the process; importing them would run or bind the command line. */
const NEVER_IMPORTED = [
  'harness/cli.ts',
  'harness/bench.ts',
  'harness/test-report.ts',
  'harness/testing/mutate/mutate.ts',
];

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)['"](\.{1,2}\/[^'"]+)['"]/gm;

interface Edge {
  readonly from: string;
  readonly to: string;
}

function sources(): string[] {
  return globSync('{harness,analysis,paper-figs,workloads,vm-images,bpf}/**/*.ts', {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  }).sort();
}

function importsOf(file: string): Edge[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: file,
    to: relative(ROOT, resolve(ROOT, dirname(file), match[1] as string)),
  }));
}

function partOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
}

/** The rule that an import breaks, in words; undefined when it breaks none. */
function breach({ from, to }: Edge): string | undefined {
  if (NEVER_IMPORTED.includes(to)) return `${from} imports ${to}, which nobody may import`;
  const part = partOf(from);
  if (part === undefined) return `${from} is in no part that MAY_IMPORT names`;
  const allowed = [part, ...(MAY_IMPORT[part] as readonly string[])];
  const commands = 'harness/commands/';
  if (to.startsWith(commands) && part !== commands && part !== 'harness/cli.ts') {
    return `${from} imports ${to}; only cli.ts and commands may`;
  }
  return allowed.some((prefix) => to.startsWith(prefix))
    ? undefined
    : `${from} imports ${to}; ${part} may not`;
}

const all = sources();
// A test may set a scene with any part; what ships may not.
const shipped = all.filter((file) => !file.endsWith('.test.ts'));

test('imports point in the direction that the architecture names', (t) => {
  t.true(shipped.length > 10, 'the tree was found');
  t.deepEqual(
    shipped.flatMap(importsOf).flatMap((edge) => breach(edge) ?? []),
    [],
  );
});

test('nobody imports the command line, not even a test', (t) => {
  const edges = all.flatMap(importsOf).filter((edge) => NEVER_IMPORTED.includes(edge.to));
  t.deepEqual(edges, []);
});

test('every relative import names a file that exists', (t) => {
  const dangling = all.flatMap(importsOf).filter((edge) => !existsSync(join(ROOT, edge.to)));
  t.deepEqual(dangling, []);
});

test('the rules refuse what they are there to refuse', (t) => {
  const refused = (from: string, to: string) => breach({ from, to }) !== undefined;
  t.true(refused('harness/core/ids.ts', 'harness/lab/engine.ts'));
  t.true(refused('harness/plan/plan.ts', 'harness/run/controller.ts'));
  t.true(refused('harness/run/controller.ts', 'harness/commands/run.ts'));
  t.true(refused('analysis/table.ts', 'harness/store/trial-log.ts'));
  t.true(refused('harness/commands/run.ts', 'harness/cli.ts'));
  t.true(refused('harness/novel/thing.ts', 'harness/core/ids.ts'));
  t.false(refused('harness/run/controller.ts', 'harness/lab/engine.ts'));
  t.false(refused('harness/commands/run.ts', 'harness/run/controller.ts'));
});
