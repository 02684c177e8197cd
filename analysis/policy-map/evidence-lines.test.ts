// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { formatEnd, formatEvidence, formatHeader, readEvidenceLines } from './evidence-lines.ts';
import { SAMPLE_KIND, sampleObservation, sampleOutcome, sampleRunEvidence } from './sample-evidence.ts';

/** Of an export from before lines were sealed. */
const HEADER = JSON.stringify({ policyMap: 1, ...SAMPLE_KIND });
const EVIDENCE = [sampleRunEvidence({ image: 'abc' }), sampleObservation(), sampleOutcome()];
const WRITTEN = [formatHeader(SAMPLE_KIND), ...EVIDENCE.map(formatEvidence), formatEnd(3), ''].join('\n');

async function read(text: string) {
  async function* chunks() {
    // In small pieces, as a pipe may give them.
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
  }
  const { kind, evidence } = await readEvidenceLines(chunks(), 'map.jsonl');
  const all = [];
  for await (const each of evidence) all.push(each);
  return { kind, all };
}

test('what is written is read back, and so is what was written before lines were sealed', async (t) => {
  t.deepEqual(await read(WRITTEN), { kind: { ...SAMPLE_KIND }, all: EVIDENCE });
  const older = [HEADER, ...EVIDENCE.map((each) => JSON.stringify(each)), ''].join('\n');
  t.deepEqual(await read(older), { kind: { ...SAMPLE_KIND }, all: EVIDENCE });
});

test('a changed bit, a line too few or too many, and an end that is cut off are each refused', async (t) => {
  const bytes = Buffer.from(WRITTEN);
  for (let at = 0; at < bytes.length; at += 3) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
    const { all } = await read(flipped.toString('latin1')).catch(() => ({ all: [] }));
    // A line end that is a blank now changes nothing.
    t.true(all.length === 0 || JSON.stringify(all) === JSON.stringify(EVIDENCE), `byte ${at}`);
  }
  const lines = WRITTEN.trimEnd().split('\n');
  const without = (line: number) => lines.filter((_, at) => at !== line).join('\n');
  await t.throwsAsync(read(without(4)), { message: /^map.jsonl: it is cut off: its last line is missing/ });
  await t.throwsAsync(read(without(2)), {
    message: /^map.jsonl: 2 pieces of evidence, its last line says 3/,
  });
  await t.throwsAsync(read([...lines, lines[1]].join('\n')), {
    message: /^map.jsonl:6: it stands after the last line/,
  });
  await t.throwsAsync(read(WRITTEN.slice(0, -30)), { message: /^map.jsonl:5: it is not what was written/ });
  await t.throwsAsync(read(WRITTEN.replace('"block":0', '"block":1')), {
    message: /^map.jsonl:4: it is not what was written: its CRC is lost or differs/,
  });
});

test('what is wrong is told by line', async (t) => {
  const outcome = (over: object) => JSON.stringify({ ...sampleOutcome(), ...over });
  const cases: [string, RegExp][] = [
    ['', /^map.jsonl: the file is empty/],
    ['{}', /^map.jsonl:1: the first line is not that of an exported policy map, "\{\}"/],
    ['\u001b[31m', /^map.jsonl:1: .*"\\\\u001b\[31m"/],
    [`${HEADER}\n{`, /^map.jsonl:2: not valid JSON/],
    [`${HEADER}\n{"kind":"x"}`, /^map.jsonl:2: kind: /],
    [`${HEADER}\n\n${outcome({ state: 'fine' })}`, /^map.jsonl:3: state: .*got "fine"/],
    [`${HEADER}\n${outcome({ run: '../x' })}`, /^map.jsonl:2: run: must be a name/],
    [`${HEADER}\n${outcome({ more: 1 })}`, /^map.jsonl:2: .*more/],
    [`${HEADER}\n${outcome({ logCosts: { primary: 1e9 } })}`, /^map.jsonl:2: logCosts.primary: /],
    [
      `${HEADER}\n${JSON.stringify(sampleObservation({ vector: [1] }))}`,
      /^map.jsonl:2: the vector has 1 numbers, and the first line says 4/,
    ],
    [
      `${HEADER}\n${JSON.stringify(sampleObservation()).replace('[1,', '[null,')}`,
      /^map.jsonl:2: vector.0: /,
    ],
    [`${HEADER}\n${'x'.repeat(300_000)}`, /^map.jsonl:2: the line is longer than 262144 bytes/],
  ];
  for (const [text, message] of cases) await t.throwsAsync(read(text), { message }, text.slice(0, 60));
});

test('twenty faults are enough', async (t) => {
  const error = await t.throwsAsync(read([HEADER, ...Array(50).fill('{')].join('\n')));
  t.is(error.message.split('\n').length, 20);
});
