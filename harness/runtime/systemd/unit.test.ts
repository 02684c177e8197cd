// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ConfigSchema, readConfig } from '../daemon/config.ts';

const UNIT = join(import.meta.dirname, 'pmvx-autotune.service');
const EXAMPLE = join(import.meta.dirname, 'autotune.yaml');

test('the example of a configuration says what the defaults are', async (t) => {
  const { map, ...rest } = await readConfig(EXAMPLE);
  t.is(map, '/var/lib/pmvx/map.db');
  t.deepEqual(rest, ConfigSchema.parse({}));
});

test('the example names every key', (t) => {
  const text = readFileSync(EXAMPLE, 'utf8');
  for (const key of Object.keys(ConfigSchema.shape)) t.regex(text, new RegExp(`^(# )?${key}:`, 'm'), key);
});

const analyze = spawnSync('systemd-analyze', ['--version']).error === undefined;
const withSystemd = analyze
  ? test
  : (title: string, _: unknown) => test.skip(`${title} (needs systemd-analyze)`, () => {});

withSystemd('systemd finds no fault in the unit but that the project is not installed', (t) => {
  const { stderr } = spawnSync('systemd-analyze', ['verify', UNIT], { encoding: 'utf8' });
  // Before 254 systemd restarts without steps, and ignores them.
  const known = stderr.replace(/^.*Unknown key (?:name )?'Restart(?:Steps|MaxDelaySec)'.*\n/gm, '');
  t.regex(known, /^(pmvx-autotune.service: Command \S+ is not executable: No such file or directory\n)?$/);
});

withSystemd('every system call group that the unit allows is one that systemd knows', (t) => {
  const [, list = ''] = /^SystemCallFilter=(.*)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
  const known = execFileSync('systemd-analyze', ['syscall-filter'], { encoding: 'utf8' });
  for (const name of list.split(' ')) t.true(known.split(/\s+/).includes(name), name);
});

test('a daemon that hangs is ended, later than a scheduler may take to load; one that fails is started ever later', (t) => {
  const unit = readFileSync(UNIT, 'utf8');
  const seconds = Number(/^WatchdogSec=(\d+)$/m.exec(unit)?.[1]);
  t.true(seconds > ConfigSchema.parse({}).prepareMs / 1000, `${seconds}`);
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'Restart=always',
    'RestartSteps=10',
    'KillMode=control-group',
  ])
    t.true(unit.split('\n').includes(line), line);
});
