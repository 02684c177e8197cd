// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { SlurmAway, SlurmUnanswered, siteSlurm } from './client.ts';

const PATIENCE = { tries: 3, pauseMs: 1, timeoutMs: 60_000 };

/** Puts a program of Slurm's on PATH, and counts its calls. */
function fake(t: ExecutionContext, program: string, script: string): () => number {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-slurm-client-'));
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  writeFileSync(join(folder, program), `#!/bin/sh\necho call >>${calls}\nn=$(wc -l <${calls})\n${script}\n`);
  chmodSync(join(folder, program), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  });
  return () => readFileSync(calls, 'utf8').split('\n').length - 1;
}

const PRIORITY = 'Immediate execution impossible, insufficient priority';

test.serial('a question that fails twice for whatever reason is answered the third time', async (t) => {
  const calls = fake(
    t,
    'sacct',
    `[ $n -ge 3 ] || { echo "sacct: error: ${PRIORITY}" >&2; exit 1; }\necho '7_1|RUNNING|n1'`,
  );
  const states = await siteSlurm(undefined, PATIENCE).accounts(['7']);
  t.is(states?.[0]?.state, 'RUNNING');
  t.is(calls(), 3);
});

test.serial('one that always fails is told with its words after so many tries', async (t) => {
  const calls = fake(t, 'squeue', `echo "squeue: error: ${PRIORITY}" >&2; exit 1`);
  const error = await t.throwsAsync(siteSlurm(undefined, PATIENCE).queue(['7']), {
    instanceOf: SlurmUnanswered,
  });
  t.regex(
    error?.message ?? '',
    new RegExp(`^squeue: Slurm does not answer: ${PRIORITY}\\. The jobs are not touched`),
  );
  t.is(calls(), 3);
});

test.serial('a program that hangs is ended, and counts as a controller that is away', async (t) => {
  const calls = fake(t, 'sacct', 'exec sleep 600');
  const patience = { tries: 2, pauseMs: 1, timeoutMs: 200 };
  await t.throwsAsync(siteSlurm(undefined, patience).accounts(['7']), {
    instanceOf: SlurmAway,
    message: /^sacct: no answer in 0.2 s/,
  });
  t.is(calls(), 2);
});

test.serial('words that are an answer are one: unknown jobs, and a site without accounts', async (t) => {
  const queue = fake(t, 'squeue', 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1');
  t.deepEqual(await siteSlurm(undefined, PATIENCE).queue(['7']), []);
  t.is(queue(), 1);
  const accounts = fake(t, 'sacct', 'echo "Slurm accounting storage is disabled" >&2; exit 1');
  t.is(await siteSlurm(undefined, PATIENCE).accounts(['7']), undefined);
  t.is(accounts(), 1);
});

test.serial('a refusal of a job is told at once', async (t) => {
  const calls = fake(t, 'sbatch', 'echo "sbatch: error: invalid partition specified: x" >&2; exit 1');
  await t.throwsAsync(siteSlurm(undefined, PATIENCE).submit([], ['script']), {
    message: /^sbatch: Slurm refused: invalid partition specified: x/,
  });
  t.is(calls(), 1);
});
