// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { boundedText, LONGEST_LINE, LONGEST_TEXT } from './guest-text.ts';
import { loadCatalog } from './load-catalog.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('a text within its bounds is left alone', (t) => {
  const text = `${'a'.repeat(LONGEST_LINE)}\n\nb\n`;
  t.is(boundedText(text), text);
});

test('long lines are cut, and of a long text the end is kept', (t) => {
  t.is(boundedText(`${'a'.repeat(LONGEST_LINE + 9)}\nb`), `${'a'.repeat(LONGEST_LINE)}\nb`);
  const long = boundedText(`first\n${'a\n'.repeat(LONGEST_TEXT)}last`);
  t.is(long.length, LONGEST_TEXT);
  t.true(long.endsWith('a\nlast') && !long.includes('first'));
});

test('no text of a guest holds up its readers', async (t) => {
  t.timeout(1_200_000);
  const { workloads } = await loadCatalog(ROOT);
  // Every second one: many look for the same.
  const definitions = [...workloads.values()]
    .map(({ definition }) => definition)
    .filter((_, at) => at % 2 === 0);
  // In a process of its own: a pattern that does not come back cannot be stopped from within.
  const script = `
    import { extractMetrics } from '${ROOT}/harness/core/extract.ts';
    import { kernelExits } from '${ROOT}/harness/core/scheduler-exit.ts';
    import { verifierRefusal } from '${ROOT}/harness/run/verifier-words.ts';
    import { readFileSync } from 'node:fs';
    const definitions = JSON.parse(readFileSync(0, 'utf8'));
    const size = ${LONGEST_TEXT} - 2;
    const fill = (part) => part.repeat(Math.ceil(size / part.length)).slice(0, size) + '\\n';
    const texts = [' ', 'sched_ext: ', 'sched_ext: BPF scheduler "', '[SUM] ', '] matrix 1 a ', '1 1 1 1\\n', '] ', 'a', "libbpf: prog '"]
      .flatMap((part) => [fill(part), fill(part.repeat(30) + '\\n'), fill(part.repeat(500) + '\\n')]);
    const took = (read) => {
      const began = process.cpuUsage();
      read();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    };
    let most = 0;
    for (const text of texts) {
      most = Math.max(most, took(() => kernelExits(text)), took(() => verifierRefusal(text)));
      for (const definition of definitions) most = Math.max(most, took(() => extractMetrics(definition, text)));
    }
    console.log('slowest ' + most.toFixed(0));`;
  const said = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    input: JSON.stringify(definitions),
    timeout: 1_100_000,
    encoding: 'utf8',
  });
  t.log(said);
  t.regex(said, /^slowest \d{1,4}\n$/, 'ms of processor time');
});

test('what the agent keeps of an output can be read', (t) => {
  const header = readFileSync(join(ROOT, 'bpf/guest/agent/agent.h'), 'utf8');
  const [, kibi] = /^#define OUTPUT_LIMIT \((\d+) \* 1024\)$/m.exec(header) ?? [];
  t.true(Number(kibi) * 1024 < LONGEST_TEXT);
});
