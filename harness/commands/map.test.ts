// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { halfBusy } from '../../analysis/features/sample-counted.ts';
import { workloadVector } from '../../analysis/features/workload-vector.ts';
import type { Answer } from '../../analysis/policy-map/choose/ask.ts';
import { openMap } from '../../analysis/policy-map/open-map.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { canonicalJson } from '../core/ids.ts';
import type { ProbeValues } from '../core/probe-counters.ts';
import type { TrialRecord } from '../core/trial.ts';
import { createRun, type RunDescription } from '../store/run-folder.ts';
import { sampleCompleted, sampleDescription, sampleUnmeasured, unsealed } from '../store/sample-records.ts';
import type { CommandContext } from './context.ts';
import { learnCommand } from './learn.ts';
import { mapCheckCommand, mapExportCommand, mapImportCommand, mapShowCommand } from './map.ts';
import { mapEvaluateCommand } from './map-evaluate.ts';
import { type QueryArgs, queryCommand } from './query.ts';

const WORKLOADS = 16;

/** A machine of which `lean` (-1 to 1) says what its tasks wait for: futexes at one end, pipes at the other. */
function leaning(lean: number) {
  const { durationNs, sets } = halfBusy(10);
  const [pipe, futex] = [4000 * (1 - lean), 4000 * (1 + lean)].map(Math.round) as [number, number];
  const slept = [0, pipe, 0, 0, 0, 0, 0, 0, futex, 0, 0, 0, 0, 0, 0];
  const cpu = { ...sets.cpu, sleep_in: slept, wake_sync: pipe, wake_same_process: futex };
  return { durationNs, vcpus: 2, sets: { ...sets, cpu } };
}

/** Counters of one second of ten. */
function tenth(counters: ProbeValues): ProbeValues {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [
      name,
      typeof value === 'number' ? value / 10 : value.map((each) => each / 10),
    ]),
  );
}

/** `chain` takes `good` percent less where tasks wait for pipes, and as much more where for futexes; `broken` is thrown out of some. */
function records(workloads: number, good = 30): TrialRecord[] {
  let trial = 0;
  return Array.from({ length: workloads }, (_, at) => {
    const lean = (2 * at) / (workloads - 1) - 1;
    const { durationNs, sets } = leaning(lean);
    const probes = Object.fromEntries(
      Object.entries(sets).map(([set, counters]) => [set, { ns: durationNs, missed: 0, counters }]),
    );
    return [0, 1].flatMap((block) => {
      const facts = () => ({
        run: 'run-1',
        trial: String(trial++).padStart(4, '0'),
        block,
        workload: `w${at}`,
      });
      const metrics = (value: number) =>
        [{ name: 'time', unit: 's', direction: 'lower', primary: true, value }] as const;
      const noise = 1 + 0.002 * ((7 * at + 3 * block) % 5);
      return [
        sampleCompleted({ ...facts(), policy: 'eevdf', metrics: metrics(1), probes }),
        sampleCompleted({
          ...facts(),
          policy: 'chain',
          metrics: metrics((1 + (good / 100) * lean) * noise),
          probes,
        }),
        sampleUnmeasured({ ...facts(), policy: 'broken', state: 'ejected', reason: 'stall' }),
      ];
    });
  }).flat();
}

async function scene(t: ExecutionContext, alter: (run: RunDescription) => RunDescription = (run) => run) {
  const root = mkdtempSync(join(tmpdir(), 'pmvx-map-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const add = async (id: string, given: readonly TrialRecord[]) => {
    const run = await createRun(join(root, 'results', 'runs', id), alter(sampleDescription(given, id)));
    for (const record of given) await run.log.append({ ...record, run: id });
    await run.close();
  };
  await add('run-1', records(WORKLOADS));
  const calling =
    <A>(command: (args: A, context: CommandContext) => Promise<ExitCode>) =>
    async (args: A) => {
      const out: string[] = [];
      const err: string[] = [];
      const code = await command(args, {
        root,
        write: (line) => out.push(line),
        warn: (line) => err.push(line),
        catalog: () => Promise.reject(new Error('needs no catalog')),
        signal: new AbortController().signal,
        isTTY: false,
        env: {},
      });
      return { code, out, err };
    };
  const map = join(root, 'map.db');
  const query = calling(queryCommand);
  const ask = async (args: Omit<QueryArgs, 'map' | 'json'>): Promise<Answer> =>
    JSON.parse((await query({ map, json: true, ...args })).out.join('\n'));
  return { root, map, add, learn: calling(learnCommand), query, ask, calling };
}

/** A vector file's contents. */
function vectorFile(lean: number, over: object = {}): string {
  const vector = workloadVector(leaning(lean));
  const machine = {
    engine: 'mock',
    kernel: '7.3',
    nodes: 1,
    sockets: 1,
    cores: 2,
    threads: 1,
    cpu: '250 MIPS',
  };
  const values = vector.kind === 'vector' ? vector.values : [];
  return JSON.stringify({ features: FEATURES_VERSION, machine, values, ...over });
}

test('what a run showed can be asked for', async (t) => {
  const { map, learn, query, ask } = await scene(t);
  const { code, out, err } = await learn({ runs: ['run-1'], map });
  t.is(code, ExitCode.ok);
  t.is(out[0], 'learnt 64 outcomes and 64 vectors of 1 new runs; 0 pieces of evidence were known');
  t.regex(out[1] ?? '', /now holds 64 outcomes of 3 policies in 16 situations, from 1 runs on:$/);
  t.deepEqual(err, []);

  const pipes = await ask({ trial: 'run-1/0000' });
  t.is(pipes.recommend, 'chain');
  t.false(pipes.abstained);
  t.is(pipes.neighbours[0]?.workload, 'w0');
  const chain = pipes.ranking.find(({ policy }) => policy === 'chain');
  t.true((chain?.ratio ?? 9) > 0.6 && (chain?.ratio ?? 9) < 0.85);
  t.true((chain?.high ?? 9) < 1);

  // Where it loses, EEVDF is left alone; the failing one is never recommended.
  const futexes = await ask({ trial: `run-1/${String(6 * WORKLOADS - 6).padStart(4, '0')}` });
  t.is(futexes.recommend, 'eevdf');
  t.true(futexes.abstained);
  t.is(futexes.neighbours[0]?.workload, 'w15');

  const words = await query({ map, trial: 'run-1/0000' });
  t.regex(words.out[0] ?? '', /^chain: expected to cost -\d/);
  t.regex(words.out[2] ?? '', /^policy +primary cost \/ eevdf +interval +failures +why not$/);
});

test('a run twice changes nothing; a changed one under its name is refused', async (t) => {
  const { root, map, learn, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const show = calling(mapShowCommand);
  const before = (await show({ map })).out;
  t.is(
    (await learn({ runs: ['run-1'], map })).out[0],
    'learnt 0 outcomes and 0 vectors of 0 new runs; 129 pieces of evidence were known',
  );
  t.deepEqual((await show({ map })).out, before);
  const log = join(root, 'results', 'runs', 'run-1', 'trials.jsonl');
  writeFileSync(log, unsealed(readFileSync(log, 'utf8')).replace('"value":0.7', '"value":0.6'));
  await t.throwsAsync(learn({ runs: ['run-1'], map }), {
    message: /^outcome of trial run-1\/0001: the map has this evidence already/,
  });
  t.deepEqual((await show({ map })).out, before);
});

test('a run without probes brings outcomes, which wait for vectors', async (t) => {
  const { map, add, learn } = await scene(t);
  const bare = records(4).map(
    ({ probes: _, ...record }) => ({ ...record, workload: `bare-${record.workload}` }) as TrialRecord,
  );
  await add('bare', bare);
  const { err } = await learn({ runs: ['bare'], map });
  t.deepEqual(err, [
    'pmvx: run bare: 16 completed trials give no vector: no probes',
    'pmvx: 4 situations have no vector, so no query finds them. Learn a run of the same workloads on the same machine with probes: [cpu, mem, io, net]',
  ]);
});

test('a map abstains before another machine, other features and what it never saw', async (t) => {
  const { root, map, learn, ask } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const asked = async (content: string) => {
    const vector = join(root, 'vector.json');
    writeFileSync(vector, content);
    return ask({ vector });
  };
  t.is((await asked(vectorFile(-1))).recommend, 'chain');
  const machine = {
    engine: 'mock',
    kernel: '8.0',
    nodes: 1,
    sockets: 1,
    cores: 2,
    threads: 1,
    cpu: '250 MIPS',
  };
  const strange = await asked(vectorFile(-1, { machine }));
  t.is(strange.recommend, 'eevdf');
  t.is(strange.why, 'the map knows nothing of this machine; the most similar one has kernel 7.3, not 8.0');
  const other = await asked(vectorFile(-1, { features: 'features-99', values: [1, 0] }));
  t.is(other.why, `the map is of features ${FEATURES_VERSION}, and the vector of features-99`);
  const opposite = JSON.parse(vectorFile(0)).values.map((value: number) => -value);
  const far = await asked(vectorFile(0, { values: opposite }));
  t.true(far.abstained);
  t.regex(
    far.why,
    /^the nearest situation \(w\d+\) is [12]\.\d\d away; beyond \d\.\d\d the map knows nothing$/,
  );
});

test('windows of a run are learnt when asked for, and can be asked about one by one', async (t) => {
  const { root, map, learn, query, calling } = await scene(t);
  const trial = join(root, 'results/runs/run-1/consoles/0000');
  mkdirSync(trial, { recursive: true });
  // Five seconds, in which the trial looks first like one end and then like the other.
  const lines = [-1, -1, -1, 1, 1].flatMap((lean, at) => {
    const { sets } = leaning(lean);
    return Object.entries(sets).map(([set, counters]) =>
      JSON.stringify({ set, fromNs: at * 1e9, toNs: (at + 1) * 1e9, counters: tenth(counters) }),
    );
  });
  writeFileSync(join(trial, 'probes.jsonl'), `${lines.join('\n')}\n`);
  const trials = WORKLOADS * 2 * 2;
  const whole = await learn({ runs: ['run-1'], map: join(root, 'whole.db') });
  t.regex(whole.out[0] ?? '', new RegExp(`and ${trials} vectors of 1 new runs`));
  const learnt = await learn({ runs: ['run-1'], map, windows: true });
  t.regex(learnt.out[0] ?? '', new RegExp(`and ${trials + 4} vectors of 1 new runs`));
  const lines0 = await calling(mapExportCommand)({ map });
  const windows = lines0.out.flatMap((line) => /"window":(-?\d+)/.exec(line)?.[1] ?? []).map(Number);
  t.deepEqual([...new Set(windows)].sort(), [-1, 0, 1, 2, 3].sort());
  const asked = async (window: number): Promise<Answer> =>
    JSON.parse((await query({ map, trial: 'run-1/0000', window, json: true })).out.join('\n'));
  // The last window looks like the other end of the workloads, and was seen in this one, too.
  t.is((await asked(3)).neighbours[0]?.distance.toFixed(3), '0.000');
  await t.throwsAsync(query({ map, trial: 'run-1/0000', window: 9 }), {
    message: /^--window: the trial has windows 0 to 4, not 9/,
  });
  writeFileSync(join(trial, 'probes.jsonl'), 'x\n');
  await t.throwsAsync(query({ map, trial: 'run-1/0000', window: 0 }), {
    message: /probes.jsonl:1: not a window of probes/,
  });
});

test('a map whose intervals another version made abstains until it is brought up to date', async (t) => {
  const { map, learn, query, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const opened = await openMap(map);
  const [machine] = await opened.machines();
  await opened.learn([], async () => new Map([[`calibration primary ${canonicalJson(machine)}`, '{"v":1}']]));
  await opened.close();
  const ask = async () => JSON.parse((await query({ map, trial: 'run-1/0000', json: true })).out.join('\n'));
  t.like(await ask(), { abstained: true, recommend: 'eevdf' });
  t.regex((await ask()).why, /made by another version of pmvx; pmvx map check brings it up to date$/);
  t.is((await calling(mapCheckCommand)({ map })).code, ExitCode.ok);
  t.is((await ask()).recommend, 'chain');
});

test('bad input is told with its place', async (t) => {
  const { root, map, learn, query } = await scene(t);
  const vector = join(root, 'vector.json');
  const fails = (args: Omit<QueryArgs, 'map'>, message: RegExp) =>
    t.throwsAsync(query({ map, ...args }), { instanceOf: PmvxError, message });
  await fails({ trial: 'run-1/0000' }, /map.db: there is no such map. pmvx learn RUN --map FILE makes one$/);
  await learn({ runs: ['run-1'], map });
  await fails({}, /^nothing to ask about. Give RUN\/TRIAL, --vector FILE or --live$/);
  await fails({ trial: 'run-1/0000', live: true }, /^more than one thing to ask about/);
  await fails({ trial: 'run-1' }, /^run-1: not a trial/);
  await fails({ trial: 'run-1/9999' }, /^run-1\/9999: the run has no trial 9999/);
  await fails(
    { trial: 'run-1/0000', objective: 'tails' },
    /^--objective: there is no objective "tails". Did you mean tail\?/,
  );
  await fails(
    { trial: 'run-1/0000', window: 0 },
    /run-1: trial 0000: the windows of the trial are not kept\. Leave --window out/,
  );
  await fails({ vector }, /vector.json: the vector cannot be read/);
  for (const [content, message] of [
    ['{', /vector.json: not valid JSON/],
    ['[1]', /vector.json: not a vector/],
    [vectorFile(0, { values: [1, 0] }), /vector.json: the vector has 2 numbers, and the map's have \d+/],
    [vectorFile(0).replace(/"values":\[[^,]*/, '"values":[NaN'), /vector.json: not valid JSON/],
    [
      vectorFile(0).replace(/"values":\[[^,]*/, '"values":[null'),
      /vector.json: number 1 of the vector is NaN/,
    ],
    [
      vectorFile(0).replace(/"values":\[[^,]*/, '"values":[7'),
      /vector.json: the vector has length 7\.\d+, not 1/,
    ],
  ] as const) {
    writeFileSync(vector, content);
    await fails({ vector }, message);
  }
  const none = join(root, 'no.db');
  await t.throwsAsync(learn({ runs: ['run-1', 'run-9'], map: none }), { message: /there is no run "run-9"/ });
  t.false(existsSync(none), 'a wrong name leaves no map');
});

test('a run with another baseline, or of an unknown kernel, is no evidence', async (t) => {
  const other = await scene(t, (run) => ({ ...run, spec: { ...run.spec, baseline: 'chain' } }));
  await t.throwsAsync(other.learn({ runs: ['run-1'], map: other.map }), {
    message: /^run run-1: its baseline is chain; a map compares with eevdf/,
  });
  const guest = await scene(t, (run) => ({
    ...run,
    spec: { ...run.spec, machine: { ...run.spec.machine, engine: 'exact' } },
  }));
  await t.throwsAsync(guest.learn({ runs: ['run-1'], map: guest.map }), {
    message: /its provenance names no kernel/,
  });
});

test('evidence from another machine is kept apart, and said to be', async (t) => {
  const { map, add, learn, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const elsewhere = records(4);
  await add('run-2', elsewhere);
  const same = await learn({ runs: ['run-2'], map });
  t.false(same.out.some((line) => line.startsWith('A query is answered')));
  const other = await scene(t, (run) => ({
    ...run,
    spec: {
      ...run.spec,
      machine: { ...run.spec.machine, topology: { nodes: 1, sockets: 1, cores: 8, threads: 1 } },
    },
  }));
  await other.add('run-3', elsewhere);
  const { out } = await other.learn({ runs: ['run-3'], map });
  t.true(out.includes('A query is answered from the evidence of its own machine alone.'));
  t.is((await calling(mapShowCommand)({ map })).out.filter((line) => line.startsWith('machine')).length, 2);
});

test('a map that is exported and imported is the same map', async (t) => {
  const { root, map, learn, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const [file, copy, again] = ['map.jsonl', 'copy.db', 'again.jsonl'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  await calling(mapExportCommand)({ map, file });
  const imported = await calling(mapImportCommand)({ map: copy, file });
  t.is(imported.out[0], 'imported 64 outcomes and 64 vectors of 1 new runs; 0 pieces of evidence were known');
  await calling(mapExportCommand)({ map: copy, file: again });
  t.is(readFileSync(again, 'utf8'), readFileSync(file, 'utf8'));
  t.is((await calling(mapCheckCommand)({ map: copy })).code, ExitCode.ok);
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[9] = '{"kind": "outcome"}';
  writeFileSync(file, lines.join('\n'));
  const empty = join(root, 'empty.db');
  await t.throwsAsync(calling(mapImportCommand)({ map: empty, file }), { message: /^.*map.jsonl:10: / });
  t.false(existsSync(empty));
  await t.throwsAsync(calling(mapImportCommand)({ map: empty, file: join(root, 'absent') }), {
    message: /absent: there is no such file/,
  });
});

test('evaluation never lets a picker see the workload it is judged on', async (t) => {
  const { map, learn, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const { out } = await calling(mapEvaluateCommand)({ map, json: true });
  const { comparisons } = JSON.parse(out.join('\n'));
  const of = (picker: string) =>
    comparisons.find((each: { picker: string }) => each.picker.startsWith(picker)).verdict;
  t.is(of('oracle').regret, 0);
  t.is(of('EEVDF').abstained, 1);
  t.true(of('kNN').regret < of('best single policy').regret);
  t.true(of('kNN').regret < of('EEVDF').regret);
  t.is(of('kNN').failed, 0);
});

test('a refused import leaves nothing where there was no map', async (t) => {
  const { root, map, learn, calling } = await scene(t);
  await learn({ runs: ['run-1'], map });
  const [file, copy] = [join(root, 'evidence.jsonl'), join(root, 'copy.db')];
  await calling(mapExportCommand)({ map, file });
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  writeFileSync(file, `${lines.slice(0, 3).join('\n')}\nnonsense\n`);
  await t.throwsAsync(calling(mapImportCommand)({ map: copy, file }));
  t.deepEqual(
    ['', '-wal', '-shm'].filter((end) => existsSync(`${copy}${end}`)),
    [],
  );
});
