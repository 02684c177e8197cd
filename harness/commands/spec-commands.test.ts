// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { sampleCatalog } from '../spec/sample-catalog.ts';
import type { CommandContext } from './context.ts';
import { planCommand } from './plan.ts';
import { schemaCommand } from './schema.ts';
import { validateCommand } from './validate.ts';

const folder = mkdtempSync(join(tmpdir(), 'pmvx-commands-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const good = join(folder, 'good.yaml');
writeFileSync(
  good,
  'name: x\nimage: quick\npolicies: [eevdf, scx_simple]\nworkloads: [{ use: boot }]\nseeds: { count: 1 }\norder: listed\n',
);
const bad = join(folder, 'bad.yaml');
writeFileSync(bad, 'name: X\nimage: quick\npolicies: [eevdf]\nworkloads: [{ use: bot }]\n');

function recorder(): { context: CommandContext; lines: string[] } {
  const lines: string[] = [];
  const context: CommandContext = {
    root: folder,
    write: (line) => void lines.push(line),
    warn: () => {},
    catalog: async () => sampleCatalog,
    signal: new AbortController().signal,
    isTTY: false,
    env: {},
  };
  return { context, lines };
}

test('validate says in one line that a spec is valid and how much it runs', async (t) => {
  const { context, lines } = recorder();
  t.is(await validateCommand({ spec: good }, context), ExitCode.ok);
  t.deepEqual(lines, [
    `${good}: valid, 3 trials in 1 block, about 1.5 s of guest time in workloads on exact`,
  ]);
});

test('validate throws every fault, which makes the exit code that of wrong input', async (t) => {
  const { context, lines } = recorder();
  const error = await t.throwsAsync(validateCommand({ spec: bad }, context), { instanceOf: PmvxError });
  t.is(error?.code, ExitCode.usage);
  t.deepEqual(error?.message.split('\n'), [
    `${bad}:1:7: name must be 1 to 64 characters of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends, got "X". Name of the experiment; it names the folder of results.`,
    `${bad}:4:20: there is no workload "bot". Did you mean boot?`,
  ]);
  t.deepEqual(lines, []);
});

test('validate for programs prints the faults as JSON and ends with the same code', async (t) => {
  const { context, lines } = recorder();
  t.is(await validateCommand({ spec: good, json: true }, context), ExitCode.ok);
  t.is(await validateCommand({ spec: bad, json: true }, context), ExitCode.usage);
  const [valid, invalid] = lines.map((line) => JSON.parse(line));
  t.deepEqual(valid, { file: good, valid: true, faults: [] });
  t.is(invalid.valid, false);
  t.is(invalid.faults.length, 2);
  t.deepEqual(invalid.faults[1], {
    where: `${bad}:4:20`,
    what: 'there is no workload "bot"',
    next: 'Did you mean boot?',
  });
});

test('plan prints the trials in order and what they add up to', async (t) => {
  const { context, lines } = recorder();
  t.is(await planCommand({ spec: good }, context), ExitCode.ok);
  t.deepEqual(lines.join('\n').split('\n'), [
    'trial  block        seed  workload  variant  point      policy      role',
    '0001       0  1459136194  boot      default  quiescent  eevdf       measure',
    '0002       0  1459136194  boot      default  quiescent  scx_simple  measure',
    '0003       0   671018565  boot      default  quiescent  eevdf       aa',
    '',
    'plan 2fa6fea8c7aa63ad of x: 3 trials in 1 block, about 1.5 s of guest time in workloads on exact',
  ]);
});

test('plan for programs prints JSON alone', async (t) => {
  const { context, lines } = recorder();
  t.is(await planCommand({ spec: good, json: true }, context), ExitCode.ok);
  const { digest, trials } = JSON.parse(lines.join('\n'));
  t.regex(digest, /^[0-9a-f]{16}$/);
  t.deepEqual(trials[1], {
    trial: '0002',
    block: 0,
    workload: 'boot',
    variant: 'default',
    params: {},
    point: 'quiescent',
    policy: 'scx_simple',
    role: 'measure',
    seed: trials[0].seed,
  });
});

test('schema prints the schema that editors need', async (t) => {
  const { context, lines } = recorder();
  t.is(await schemaCommand({}, context), ExitCode.ok);
  const schema = JSON.parse(lines.join('\n'));
  t.deepEqual(schema.required, ['name', 'image', 'policies', 'workloads']);
  t.is(schema.additionalProperties, false);
});
