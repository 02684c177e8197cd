// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import type { PlannedTrial } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import { readLog } from '../store/read-log.ts';
import { TrialLog } from '../store/trial-log.ts';
import { parseArms } from './arms.ts';
import { dayEngine } from './day-engine.ts';
import type { DayInputs } from './day-inputs.ts';
import { parseDay } from './read-day.ts';
import { SAMPLE_DAY, sampleOutput, sampleRecord } from './sample-day.ts';

test('the oracle waits for the other arms of its block, and is told what they printed was best', async (t) => {
  const catalog = await loadCatalog(resolve(import.meta.dirname, '../..'));
  const day = parseDay(SAMPLE_DAY, 'sample.yaml', catalog);
  const arms = parseArms('eevdf,static:pmvx_chain,static:pmvx_latency,oracle', catalog);
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-day-engine-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const log = await TrialLog.open(join(folder, 'trials.jsonl'));
  t.teardown(() => log.close());
  const policies = arms.map(({ id }) => id);
  const trials = policies.map((policy) => ({ trial: `0-${policy}`, block: 0, policy })) as PlannedTrial[];
  const whole = async () => (await readLog(log.path)).records;
  const told: unknown[] = [];
  const inner: Engine = { name: 'mock', runTrial: async () => ({}) as never };
  const inputs = {
    filesOf: (arm: { id: string }, switches?: unknown) => {
      told.push([arm.id, switches]);
      return [];
    },
  } as unknown as DayInputs;
  const engine = dayEngine(inner, { day, arms, trials, inputs, catalog, log, whole });
  const lives = (policy: string) =>
    engine.runTrial(
      { trial: `0-${policy}`, policy: { id: policy } } as never,
      {} as never,
      folder,
      new AbortController().signal,
    );
  const oracle = lives('oracle');
  const append = (policy: string, messages: number, late: number) =>
    log.append(sampleRecord(policy, 0, sampleOutput({ messages, compute: 0.1, late })));
  await append('eevdf', 0.2, 400);
  await append('pmvx_chain', 0.1, 800);
  t.deepEqual(told, [], 'one arm is still alive');
  await append('pmvx_latency', 0.3, 100);
  await oracle;
  t.deepEqual(told, [['oracle', { messages: 'pmvx_chain', both: 'pmvx_latency' }]]);
});
