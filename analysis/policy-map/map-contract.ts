// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext, TestFn } from 'ava';
import type { Evidence } from './evidence.ts';
import { formatEvidence } from './evidence-lines.ts';
import type { MapKind, PolicyMap, PolicyMapReader } from './policy-map.ts';
import {
  SAMPLE_KIND,
  SAMPLE_MACHINE,
  sampleEvidence,
  sampleObservation,
  sampleOutcome,
  sampleRunEvidence,
  sampleVector,
} from './sample-evidence.ts';
import { chord, unitVector } from './vector.ts';

/** Opens a map of `kind` that nobody else has; a second call with the same `name` in a test opens the same map once more. */
export type OpenForTest = (
  t: ExecutionContext,
  kind: MapKind | undefined,
  name: string,
) => Promise<PolicyMap>;

/** What every store of a policy map must do, whichever database it is. */
export function testMapContract(test: TestFn, open: OpenForTest): void {
  test('what is learnt is found again, nearest first', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'found');
    const report = await map.learn(threeSituations());
    t.deepEqual(report, { runs: 1, observations: 3, outcomes: 3, known: 0 });
    const near = await map.neighbours({
      vector: unit([0.8, 0.6, 0, 0]),
      machine: SAMPLE_MACHINE,
      k: 2,
      within: 1,
    });
    t.deepEqual(
      near.map(({ workload, distance }) => [workload, distance.toFixed(4)]),
      [
        ['w1', Math.sqrt(0.4).toFixed(4)],
        ['w2', Math.sqrt(0.8).toFixed(4)],
      ],
    );
    const [summary] = near[0]?.policies ?? [];
    t.is(summary?.policy, 'fast');
    t.is(summary?.trials, 1);
    t.deepEqual(summary?.logCosts.primary, { n: 1, mean: -0.5, m2: 0 });
    t.is(summary?.logCosts.tail.n, 0);
    t.deepEqual(await map.verify(), []);
  });

  test('a search finds the same neighbours as comparing with every vector does', async (t) => {
    const kind = { features: 'sample-1', dimensions: 8 };
    const map = await open(t, kind, 'search');
    // 25 groups: several cells, of which a search leaves most out.
    await map.learn(
      sampleEvidence({ run: 'r', situations: 300, policies: 1, blocks: 1, dimensions: 8, groups: 25 }),
    );
    const vectors = Array.from({ length: 300 }, (_, at) => unit(sampleVector(8, at, 25)));
    for (let at = 0; at < 40; at++) {
      const vector = unit(sampleVector(8, 1000 + at, 50));
      const within = 0.9;
      const found = await map.neighbours({ vector, machine: SAMPLE_MACHINE, k: 7, within });
      const all = vectors.map((other) => chord(vector, other)).sort((a, b) => a - b);
      const expected = all.filter((distance) => distance <= within).slice(0, 7);
      const got = found.map(({ distance }) => distance).filter((distance) => distance <= within);
      t.deepEqual(rounded(got), rounded(expected));
    }
  });

  test('the same evidence twice changes nothing', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'twice');
    await map.learn(threeSituations());
    const before = await exported(map);
    t.deepEqual(await map.learn(threeSituations()), { runs: 0, observations: 0, outcomes: 0, known: 7 });
    // And within one call.
    t.deepEqual(
      (await map.learn([sampleRunEvidence(), sampleRunEvidence(), sampleOutcome({ workload: 'w1' })])).known,
      3,
    );
    t.deepEqual(await exported(map), before);
    t.deepEqual(await map.verify(), []);
  });

  test('new evidence merges, in whichever order it comes', async (t) => {
    const [one, other] = [await open(t, SAMPLE_KIND, 'order1'), await open(t, SAMPLE_KIND, 'order2')];
    const first = threeSituations();
    const second = [
      sampleRunEvidence({ run: 'r2' }),
      sampleObservation({ run: 'r2', workload: 'w1', vector: [0.6, 0.8, 0, 0] }),
      sampleOutcome({ run: 'r2', workload: 'w1', logCosts: { primary: 0.5, energy: 0.1 } }),
    ];
    await one.learn(first);
    await one.learn(second);
    await other.learn(second);
    await other.learn(first);
    t.deepEqual(await exported(one), await exported(other));
    const [near] = await one.neighbours({
      vector: unit([1, 0, 0, 0]),
      machine: SAMPLE_MACHINE,
      k: 1,
      within: 2,
    });
    const cost = near?.policies[0]?.logCosts.primary;
    // -0.5 and 0.5: the mean is in doubt, and the spread says so.
    t.is(cost?.n, 2);
    t.is(cost?.mean, 0);
    t.is(cost?.m2, 0.5);
    t.deepEqual([...(await one.verify()), ...(await other.verify())], []);
  });

  test('an export learnt into an empty map is the same map, and into the full one nothing new', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'full');
    // Lengths that no float has exactly.
    const odd = [sampleObservation({ trial: '0007', vector: [0.1, 0.7, 0.3, 0.640312423743285] })];
    await map.learn([...threeSituations(), ...odd]);
    const evidence = await collect(map.evidence());
    const copy = await open(t, SAMPLE_KIND, 'copy');
    await copy.learn(evidence);
    t.deepEqual(await exported(copy), await exported(map));
    t.is((await map.learn(evidence)).known, evidence.length);
  });

  test('evidence that says something else than before is refused, and all that came with it', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'contradiction');
    await map.learn(threeSituations());
    const before = await exported(map);
    const other = [
      sampleOutcome({ trial: '0099', policy: 'new' }),
      sampleOutcome({ logCosts: { primary: -0.6 } }),
    ];
    await t.throwsAsync(map.learn(other), {
      message: /^outcome of trial r1\/0001: the map has this evidence already/,
    });
    const elsewhere = { ...SAMPLE_MACHINE, kernel: '8.0' };
    await t.throwsAsync(map.learn([sampleRunEvidence({ machine: elsewhere })]), { message: /^run r1: / });
    await t.throwsAsync(map.learn([sampleOutcome({ run: 'r9' })]), {
      message: /nobody knows on which machine/,
    });
    t.deepEqual(await exported(map), before);
    t.deepEqual(await map.verify(), []);
  });

  test('a vector of another dimension, with NaN or of another length is refused', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'vectors');
    const learn = (vector: number[]) => map.learn([sampleRunEvidence(), sampleObservation({ vector })]);
    await t.throwsAsync(learn([1, 0]), {
      message: /^trial r1\/0000: the vector has 2 numbers, and the map's have 4/,
    });
    await t.throwsAsync(learn([Number.NaN, 0, 0, 1]), { message: /number 1 of the vector is NaN/ });
    await t.throwsAsync(learn([0, 0, 0, 0]), { message: /the vector has length 0.00000, not 1/ });
    t.is((await map.facts()).runs, 0);
  });

  test('evidence speaks about its own machine only, unless all are asked for', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'machines');
    const other = { ...SAMPLE_MACHINE, cores: 8 };
    await map.learn(threeSituations());
    await map.learn([sampleRunEvidence({ run: 'r2', machine: other }), sampleObservation({ run: 'r2' })]);
    const query = { vector: unit([1, 0, 0, 0]), k: 9, within: 2 };
    t.is((await map.neighbours({ ...query, machine: SAMPLE_MACHINE })).length, 3);
    t.deepEqual(
      (await map.neighbours({ ...query, machine: other })).map(({ machine, policies }) => [
        machine.cores,
        policies,
      ]),
      [[8, []]],
    );
    t.deepEqual(await map.neighbours({ ...query, machine: { ...SAMPLE_MACHINE, kernel: '9' } }), []);
    t.is((await map.neighbours(query)).length, 4);
    t.is((await map.facts()).machines.length, 2);
  });

  test('outcomes without a vector are kept, and found once there is one', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'unplaced');
    await map.learn([sampleRunEvidence(), sampleOutcome()]);
    const query = { vector: unit([1, 0, 0, 0]), machine: SAMPLE_MACHINE, k: 1, within: 2 };
    t.deepEqual(await map.neighbours(query), []);
    t.is((await map.facts()).unplaced, 1);
    await map.learn([sampleRunEvidence({ run: 'vectors' }), sampleObservation({ run: 'vectors' })]);
    t.is((await map.neighbours(query))[0]?.policies[0]?.policy, 'fast');
    t.is((await map.facts()).unplaced, 0);
  });

  test('a map of other features is refused', async (t) => {
    await open(t, SAMPLE_KIND, 'kind');
    await t.throwsAsync(open(t, { features: 'sample-2', dimensions: 4 }, 'kind'), {
      message: /the map is of features sample-1 with 4 dimensions, and this is sample-2 with 4/,
    });
    await t.throwsAsync(open(t, undefined, 'nothing'), { message: /there is no such map/ });
  });

  test('of two writers one waits, and gives up with one clear answer', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'writers');
    const second = await open(t, SAMPLE_KIND, 'writers');
    const held = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const first = map.learn(
      (async function* () {
        yield sampleRunEvidence();
        started.resolve();
        await held.promise;
        yield sampleOutcome({ workload: 'w1' });
      })(),
    );
    await started.promise;
    await t.throwsAsync(second.learn(threeSituations()), {
      message: /another process is writing to the map/,
    });
    held.resolve();
    t.is((await first).outcomes, 1);
    // Afterwards the second one can, and sees what the first one wrote.
    t.is((await second.learn(threeSituations())).known, 2);
    t.deepEqual(await second.verify(), []);
  });

  test('a reader sees what was committed, also when it was open before', async (t) => {
    const writer = await open(t, SAMPLE_KIND, 'reader');
    const reader = await open(t, SAMPLE_KIND, 'reader');
    const query = { vector: unit([1, 0, 0, 0]), machine: SAMPLE_MACHINE, k: 1, within: 2 };
    t.deepEqual(await reader.neighbours(query), []);
    await writer.learn(threeSituations());
    t.is((await reader.neighbours(query)).length, 1);
  });

  test('what follows from new evidence is committed with it, or not at all', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'settle');
    const settle = async (seen: PolicyMapReader) =>
      new Map([['outcomes', String((await seen.facts()).outcomes)]]);
    await map.learn(threeSituations(), settle);
    t.is(await map.setting('outcomes'), '3');
    const fail = () => Promise.reject(new Error('no'));
    const more = [sampleRunEvidence({ run: 'r2' }), sampleOutcome({ run: 'r2' })];
    await t.throwsAsync(map.learn(more, fail), { message: 'no' });
    t.is((await map.facts()).runs, 1);
    const placed = await collect(map.situations());
    t.deepEqual(
      placed.map(({ workload, vectors }) => [workload, vectors.map(({ policy }) => policy)]),
      [
        ['w1', ['eevdf']],
        ['w2', ['eevdf']],
        ['w3', ['eevdf']],
      ],
    );
  });

  test('settings are kept', async (t) => {
    const map = await open(t, SAMPLE_KIND, 'settings');
    t.is(await map.setting('x'), undefined);
    await map.setSetting('x', '1');
    await map.setSetting('x', '2');
    t.is(await map.setting('x'), '2');
  });
}

function threeSituations(): Evidence[] {
  const one = { workload: 'w1', trial: '0000' };
  return [
    sampleRunEvidence(),
    sampleObservation({ ...one, vector: [1, 0, 0, 0] }),
    sampleObservation({ workload: 'w2', trial: '0002', vector: [0, 1, 0, 0] }),
    sampleObservation({ workload: 'w3', trial: '0004', vector: [0, 0, 0, 1] }),
    sampleOutcome({ workload: 'w1', trial: '0001' }),
    sampleOutcome({ workload: 'w2', trial: '0003', logCosts: { primary: 0.25 } }),
    sampleOutcome({ workload: 'w3', trial: '0005', state: 'ejected', failed: true, logCosts: {} }),
  ];
}

function unit(values: readonly number[]) {
  return unitVector(values, values.length, 'test');
}

function rounded(distances: readonly number[]): number[] {
  return distances.map((distance) => Math.round(distance * 1e5) / 1e5);
}

async function exported(map: PolicyMap): Promise<string[]> {
  return (await collect(map.evidence())).map(formatEvidence);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
