// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from '../../../../analysis/policy-map/evidence.ts';
import {
  formatEnd,
  formatEvidence,
  formatHeader,
  readEvidenceLines,
} from '../../../../analysis/policy-map/evidence-lines.ts';
import {
  SAMPLE_KIND,
  sampleObservation,
  sampleOutcome,
  sampleRunEvidence,
} from '../../../../analysis/policy-map/sample-evidence.ts';
import { PmvxError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/ids.ts';
import { ACCEPTED } from '../fuzz.ts';
import { Finding, type Target, wordsOf } from '../target.ts';
import { resealed } from './trial-log.ts';

/** Policy maps that others have exported. */
export function evidenceTarget(): Target {
  const evidence = [sampleRunEvidence({ image: 'abc' }), sampleObservation(), sampleOutcome()];
  const sealed = [formatHeader(SAMPLE_KIND), ...evidence.map(formatEvidence), formatEnd(3), ''].join('\n');
  const bare = [
    JSON.stringify({ policyMap: 1, ...SAMPLE_KIND }),
    ...evidence.map((each) => JSON.stringify(each)),
    '',
  ].join('\n');
  return {
    name: 'evidence',
    about: 'exported policy maps (JSON Lines)',
    mostBytes: 32_768,
    seeds: [Buffer.from(sealed), Buffer.from(bare)],
    words: [
      '"kind":"run"',
      '"kind":"outcome"',
      '"kind":"observation"',
      '"kind":"end"',
      '"evidence":3',
      '"state":"crashed"',
      '"logCosts":{}',
      '"window":-1',
      '"vector":[1,0,0,0]',
    ],
    seal: (input) =>
      Buffer.concat(
        input
          .toString('utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => resealed(Buffer.from(`${line}\n`))),
      ),
    async read(input) {
      const found: Evidence[] = [];
      try {
        const { kind, evidence: lines } = await readEvidenceLines(inPieces(input), 'map.jsonl');
        for await (const each of lines) found.push(each);
        const text = [formatHeader(kind), ...found.map(formatEvidence), formatEnd(found.length)].join('\n');
        const again: Evidence[] = [];
        for await (const each of (await readEvidenceLines(inPieces(Buffer.from(text)), 'again')).evidence)
          again.push(each);
        if (canonicalJson(again) !== canonicalJson(found))
          throw new Finding('evidence is not read as it is written');
        return ACCEPTED;
      } catch (error) {
        if (!(error instanceof PmvxError)) throw error;
        return wordsOf(error.faults[0]?.what ?? '');
      }
    },
  };
}

async function* inPieces(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 997) yield bytes.subarray(at, at + 997);
}
