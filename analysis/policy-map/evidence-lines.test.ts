// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { formatEvidence, formatHeader, readEvidenceLines } from './evidence-lines.ts';
import { SAMPLE_KIND, sampleObservation, sampleOutcome, sampleRunEvidence } from './sample-evidence.ts';

const HEADER = formatHeader(SAMPLE_KIND);

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

test('what is written is read back', async (t) => {
  const evidence = [sampleRunEvidence({ image: 'abc' }), sampleObservation(), sampleOutcome()];
  const text = [HEADER, ...evidence.map(formatEvidence), ''].join('\n');
  t.deepEqual(await read(text), { kind: { ...SAMPLE_KIND }, all: evidence });
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
      `${HEADER}\n${formatEvidence(sampleObservation()).replace('[1,', '[null,')}`,
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
