// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { loadCatalog } from '../core/load-catalog.ts';
import type { EngineName } from '../core/trial.ts';
import { readSpec } from '../spec/read-spec.ts';
import type { CommandContext } from './context.ts';
import { type FidelityOptions, fidelityCommand, parseEngines } from './fidelity.ts';
import { jobsOn, policiesOn } from './fidelity-engines.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SPEC = `name: small
image: quick
policies: [eevdf, scx_simple]
workloads:
  - use: spinners
    with: { tasks: 1 }
  - use: spinners
    with: { tasks: 2 }
machine: { vcpus: 2 }
seeds: { count: 2 }
`;

function scene(t: ExecutionContext, text = SPEC) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-fidelity-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const spec = join(folder, 'small.yaml');
  writeFileSync(spec, text);
  const out = join(folder, 'out');
  const stop = new AbortController();
  const tried: EngineName[] = [];
  const fidelity = async (options: FidelityOptions = {}) => {
    const lines: string[] = [];
    const context: CommandContext = {
      root: ROOT,
      write: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
      catalog: () => loadCatalog(ROOT),
      signal: stop.signal,
      isTTY: false,
      env: {},
    };
    const code = await fidelityCommand(
      { spec, out, engines: ['mock', 'kvm'], ...options },
      context,
      async (engine) => {
        tried.push(engine);
        return {
          engine,
          works: engine === 'mock',
          why: engine === 'mock' ? 'a mock' : 'there is no /dev/kvm',
        };
      },
    );
    return { code, lines };
  };
  return { out, spec, stop, tried, fidelity };
}

test('every engine that works has its run, and one that does not has its reason and an empty column', async (t) => {
  const { out, fidelity } = scene(t);
  const { code, lines } = await fidelity();
  t.is(code, ExitCode.ok, lines.join('\n'));
  t.true(lines.includes('engine kvm     does not work: there is no /dev/kvm'));
  t.deepEqual(readdirSync(out).sort(), [
    'engines.json',
    'fidelity-ratios.png',
    'fidelity-ratios.svg',
    'fidelity-ratios.vl.json',
    'fidelity-scaling.png',
    'fidelity-scaling.svg',
    'fidelity-scaling.vl.json',
    'fidelity.csv',
    'fidelity.md',
    'mock',
  ]);
  const csv = readFileSync(join(out, 'fidelity.csv'), 'utf8').trim().split('\n');
  t.is(csv.length, 1 + 2 * 2 * 2);
  t.is(csv.filter((line) => line.endsWith(',,,,,there is no /dev/kvm')).length, 4);
});

test('an experiment that is there is gone on with: no engine is tried twice, nothing is run twice, the files are the same', async (t) => {
  const { out, tried, fidelity } = scene(t);
  await fidelity();
  const files = () =>
    ['fidelity.csv', 'fidelity.md', 'mock/trials.jsonl'].map((name) => readFileSync(join(out, name), 'utf8'));
  const before = files();
  t.is((await fidelity()).code, ExitCode.ok);
  t.deepEqual(files(), before);
  t.deepEqual(tried, ['mock', 'kvm', 'kvm']);
  // Engines one after the other make the same experiment as all at once.
  await fidelity({ engines: ['kvm'] });
  t.deepEqual(files(), before);
});

test('Ctrl-C ends the experiment with the command that goes on with it', async (t) => {
  const { stop, out, spec, fidelity } = scene(t);
  stop.abort(new PmvxError(ExitCode.interrupted, { what: 'stopped' }));
  const { code, lines } = await fidelity();
  t.is(code, ExitCode.interrupted);
  t.true(
    lines.includes(`pmvx: stopped; go on with: pmvx fidelity ${spec} --engines mock,kvm --out ${out}`),
    lines.join('\n'),
  );
});

test('no engine that works is no success', async (t) => {
  const { fidelity } = scene(t);
  t.is((await fidelity({ engines: ['kvm'] })).code, ExitCode.incomplete);
});

test('a spec that changes the policy during the run is refused, and so is an engine that does not exist', async (t) => {
  const { fidelity } = scene(t, `${SPEC}at: warm\n`);
  await t.throwsAsync(fidelity(), {
    instanceOf: PmvxError,
    message: /compared from the idle machine on, got at: warm/,
  });
  t.throws(() => parseEngines('exact,bare'), { message: /"bare" is no engine/ });
  t.deepEqual(parseEngines('tcg, exact,tcg'), ['tcg', 'exact']);
});

test('native has the built-in policy only, and engines in real time never share a CPU', async (t) => {
  const { spec } = scene(t);
  const catalog = await loadCatalog(ROOT);
  const read = await readSpec(spec, catalog);
  t.deepEqual(policiesOn('native', read, catalog), ['eevdf']);
  t.deepEqual(policiesOn('tcg', read, catalog), ['eevdf', 'scx_simple']);
  t.is(jobsOn('native', 1, 8), 1);
  t.is(jobsOn('tcg', 1024, 8), 1);
  t.is(jobsOn('exact', 4, 8), 8);
});
