// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdtempSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { settleCalibrations } from '../../../analysis/policy-map/choose/calibration.ts';
import { openMap } from '../../../analysis/policy-map/open-map.ts';
import {
  SAMPLE_KIND,
  SAMPLE_MACHINE,
  sampleObservation,
  sampleOutcome,
  sampleRunEvidence,
} from '../../../analysis/policy-map/sample-evidence.ts';
import { EEVDF, type Window } from '../contracts.ts';
import { MapSelector, type MapSelectorOptions } from './map-selector.ts';

/** A policy that costs now more, now less than EEVDF, a little less on average. */
const UNSURE = (at: number) => ({
  unsure: 0.97 * (1 + 0.06 * Math.sin(7 * at)),
  worse: 1.03 * (1 + 0.06 * Math.sin(7 * at)),
});

/** Workloads that look alike; `fast` and `faster` cost about half of EEVDF everywhere. */
async function sampleMap(
  ratios: (at: number) => Readonly<Record<string, number>> = () => ({ fast: 0.5, faster: 0.49 }),
): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'pmvx-select-')), 'map.db');
  const map = await openMap(path, SAMPLE_KIND);
  const evidence = Array.from({ length: 12 }, (_, at) => {
    const workload = `w${String(at).padStart(2, '0')}`;
    const trial = (number: number) => `${at}-${number}`;
    const cost = (ratio: number) => ({ primary: Math.log(ratio) + 0.002 * Math.sin(7 * at) });
    const outcomes = [0, 1, 2, 3].flatMap((block) =>
      Object.entries(ratios(at)).map(([policy, ratio], number) =>
        sampleOutcome({
          ...{ workload, block, policy },
          trial: trial(10 * (number + 1) + block),
          logCosts: cost(ratio),
        }),
      ),
    );
    const vector = [Math.cos(0.05 * at), Math.sin(0.05 * at), 0, 0];
    return [sampleObservation({ workload, trial: trial(0), vector }), ...outcomes];
  }).flat();
  await map.learn([sampleRunEvidence(), ...evidence], settleCalibrations);
  await map.close();
  return path;
}

const windowOf = (values: readonly number[]): Window => ({
  index: 0,
  beganNs: 0,
  ms: 1000,
  counters: {},
  vector: { features: SAMPLE_KIND.features, values },
  health: { pressure: {} },
});
const KNOWN = windowOf([1, 0, 0, 0]);
const state = (policy: string, ...excluded: string[]) => ({ policy, excluded: new Set(excluded) });

function optionsOf(map: string, given: Partial<MapSelectorOptions> = {}): MapSelectorOptions {
  return {
    map,
    machine: SAMPLE_MACHINE,
    objective: 'primary',
    available: () => true,
    prefer: 0.05,
    stay: 0.1,
    ...given,
  };
}

test('the map names a policy with its interval and neighbours', async (t) => {
  const selector = await MapSelector.open(optionsOf(await sampleMap()));
  const selection = await selector.select(KNOWN, state(EEVDF));
  t.like(selection, { policy: 'faster', rule: 'map', abstained: false, novel: false });
  t.is(selection.neighbours[0]?.workload, 'w00');
  t.true((selection.interval?.high ?? 2) < 1);
  await selector.close();
});

test('a policy that is as good, and active, is kept', async (t) => {
  const map = await sampleMap();
  const patient = await MapSelector.open(optionsOf(map));
  t.is((await patient.select(KNOWN, state('fast'))).policy, 'fast');
  const strict = await MapSelector.open(optionsOf(map, { prefer: 0 }));
  t.is((await strict.select(KNOWN, state('fast'))).policy, 'faster');
  await Promise.all([patient.close(), strict.close()]);
});

test('where nothing is surely better, what is active and no worse stays; nothing else is begun', async (t) => {
  const map = await sampleMap(UNSURE);
  const selector = await MapSelector.open(optionsOf(map));
  t.like(await selector.select(KNOWN, state(EEVDF)), { policy: EEVDF, rule: 'abstain', abstained: true });
  const stays = await selector.select(KNOWN, state('unsure'));
  t.like(stays, { policy: 'unsure', rule: 'map', abstained: false });
  t.regex(stays.why, /^nothing is surely better than EEVDF; unsure is active, expected to cost -\d/);
  t.is((await selector.select(KNOWN, state('worse'))).policy, EEVDF, 'expected to be worse');
  t.is((await selector.select(KNOWN, state('unsure', 'unsure'))).policy, EEVDF, 'in quarantine');
  const far = await selector.select(windowOf([0, 0, 0, 1]), state('unsure'));
  t.like(far, { policy: EEVDF, novel: true }, 'nobody knows');
  const strict = await MapSelector.open(optionsOf(map, { stay: 0 }));
  t.is((await strict.select(KNOWN, state('unsure'))).policy, EEVDF, 'the upper end is too high');
  await Promise.all([selector.close(), strict.close()]);
});

test('what is in quarantine or not here is passed over for the next best, and for EEVDF at last', async (t) => {
  const map = await sampleMap();
  const selector = await MapSelector.open(optionsOf(map));
  t.is((await selector.select(KNOWN, state(EEVDF, 'faster'))).policy, 'fast');
  t.like(await selector.select(KNOWN, state(EEVDF, 'faster', 'fast')), {
    policy: EEVDF,
    rule: 'not-available',
  });
  const bare = await MapSelector.open(optionsOf(map, { available: (policy) => policy === 'fast' }));
  t.is((await bare.select(KNOWN, state(EEVDF))).policy, 'fast');
  await Promise.all([selector.close(), bare.close()]);
});

test('a window that nothing known is near to is new; one of a strange machine teaches nothing', async (t) => {
  const map = await sampleMap();
  const selector = await MapSelector.open(optionsOf(map));
  const far = await selector.select(windowOf([0, 0, 0, 1]), state(EEVDF));
  t.like(far, { policy: EEVDF, rule: 'abstain', novel: true });
  const machine = { ...SAMPLE_MACHINE, kernel: 'another' };
  const strange = await MapSelector.open(optionsOf(map, { machine }));
  t.like(await strange.select(KNOWN, state(EEVDF)), { policy: EEVDF, rule: 'abstain', novel: false });
  await Promise.all([selector.close(), strange.close()]);
});

test('a window without a vector is no question', async (t) => {
  const selector = await MapSelector.open(optionsOf(await sampleMap()));
  const { vector: _, ...blind } = KNOWN;
  const selection = await selector.select({ ...blind, unknown: 'idle' }, state(EEVDF));
  t.like(selection, { rule: 'unknown-window', why: 'idle', novel: false });
  await selector.close();
});

test('a map that is spoilt or truncated while it is open is a fault that is told, and heals', async (t) => {
  for (const spoil of [
    (path: string) => truncateSync(path, 5000),
    (path: string) => truncateSync(path, 0),
    (path: string) => writeFileSync(path, Buffer.alloc(100_000, 7)),
  ]) {
    const path = await sampleMap();
    const copy = `${path}.good`;
    copyFileSync(path, copy);
    const selector = await MapSelector.open(optionsOf(path));
    t.is((await selector.select(KNOWN, state(EEVDF))).policy, 'faster');
    spoil(path);
    const answers = [];
    for (let at = 0; at < 8; at++) answers.push(await selector.select(KNOWN, state(EEVDF)));
    for (const { policy, rule } of answers) t.deepEqual([policy, rule], [EEVDF, 'map-unreadable']);
    t.truthy(selector.fault);
    renameSync(copy, path);
    for (let at = 0; at < 8; at++) answers.push(await selector.select(KNOWN, state(EEVDF)));
    t.like(answers.at(-1), { policy: 'faster', rule: 'map' });
    t.is(selector.fault, undefined);
    await selector.close();
  }
});

test('a map that another one takes the place of is read anew', async (t) => {
  const path = await sampleMap();
  const selector = await MapSelector.open(optionsOf(path));
  t.is((await selector.select(KNOWN, state(EEVDF))).policy, 'faster');
  const empty = join(mkdtempSync(join(tmpdir(), 'pmvx-select-')), 'empty.db');
  await (await openMap(empty, SAMPLE_KIND)).close();
  renameSync(empty, path);
  t.like(await selector.select(KNOWN, state(EEVDF)), { policy: EEVDF, rule: 'abstain' });
  await selector.close();
});
