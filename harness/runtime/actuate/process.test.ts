// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { buildAddon } from '../../../bpf/napi/test/compile.ts';
import type { Keeper } from './keeper.ts';
import { processHolder } from './process.ts';

buildAddon();

const folder = mkdtempSync(join(tmpdir(), 'pmvx-process-'));
const asRoot =
  process.getuid?.() === 0
    ? test
    : (title: string, _: unknown) => test.skip(`${title} (needs root)`, () => {});

/** A holder of a program that never attaches anything; `seen` is what others were told of it. */
function holderOf(name: string, script: string, keeper: Partial<Keeper> = {}) {
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const seen: [what: string, pid: number][] = [];
  const holder = processHolder({
    argv: [program],
    ops: name,
    started: (pid) => void seen.push(['started', pid]),
    ended: (pid) => void seen.push(['ended', pid]),
    keeper: {
      away: () => undefined,
      holdLink: () => Promise.reject(new Error('no link')),
      holdSetting: () => Promise.reject(new Error('no setting')),
      holdProcess: async (pid) => {
        seen.push(['held', pid]);
        return { drop: async () => undefined };
      },
      ...keeper,
    },
  });
  return { holder, seen };
}

const told = (seen: readonly [string, number][]) => seen.map(([what]) => what);

asRoot(
  'a program that ends before it attaches is refused in its words, and everybody is told of it twice',
  async (t) => {
    const { holder, seen } = holderOf('short', 'echo no such kernel >&2; exit 3');
    await t.throwsAsync(holder.prepare(AbortSignal.timeout(60_000)), {
      message: /exited with status 3.*no such kernel/s,
    });
    t.deepEqual(told(seen), ['started', 'held', 'ended']);
    t.is(new Set(seen.map(([, pid]) => pid)).size, 1);
  },
);

asRoot('one that takes too long is ended, also where it minds no signal', async (t) => {
  const { holder, seen } = holderOf('long', 'trap "" INT TERM; while :; do sleep 0.1; done');
  const soon = new AbortController();
  const prepared = holder.prepare(soon.signal);
  soon.abort(new Error('soon'));
  await t.throwsAsync(prepared, { message: /^it was stopped before it came to attach/ });
  t.deepEqual(told(seen), ['started', 'held', 'ended']);
  t.false(existsSync(`/proc/${seen[0]?.[1]}`));
});

asRoot('one that nobody can hold does not stay', async (t) => {
  const { holder, seen } = holderOf('loose', 'sleep 600', {
    holdProcess: () => Promise.reject(new Error('the guardian holds nothing: the kill switch was latched')),
  });
  await t.throwsAsync(holder.prepare(AbortSignal.timeout(60_000)), {
    message: /^the guardian holds nothing/,
  });
  t.deepEqual(told(seen), ['started', 'ended']);
  t.false(existsSync(`/proc/${seen[0]?.[1]}`));
});
