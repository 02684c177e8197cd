// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Machine } from '../core/spec.ts';
import type { Engine, GuestOutcome, Orders } from './engine.ts';
import { joulesBetween, readPackageEnergy, withPackageEnergy } from './package-energy.ts';

/** A folder as /sys/class/powercap is. */
function powercap(
  t: ExecutionContext,
  zones: Readonly<Record<string, readonly [name: string, energy: string]>>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-powercap-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'intel-rapl'));
  for (const [zone, [name, energy]] of Object.entries(zones)) {
    mkdirSync(join(folder, zone));
    writeFileSync(join(folder, zone, 'name'), `${name}\n`);
    if (energy !== '') writeFileSync(join(folder, zone, 'energy_uj'), `${energy}\n`);
    writeFileSync(join(folder, zone, 'max_energy_range_uj'), '262143328850\n');
  }
  return folder;
}

test('packages are read, their parts and other zones are not', async (t) => {
  const folder = powercap(t, {
    'intel-rapl:0': ['package-0', '5000000'],
    'intel-rapl:1': ['package-1', '7000000'],
    'intel-rapl:0:0': ['core', '4000000'],
    'intel-rapl:2': ['psys', '90000000'],
  });
  const reading = await readPackageEnergy(folder);
  t.deepEqual(
    [...(reading ?? [])],
    [
      ['intel-rapl:0', { microjoules: 5e6, range: 262143328850 }],
      ['intel-rapl:1', { microjoules: 7e6, range: 262143328850 }],
    ],
  );
});

test('where there is no counter, or none that may be read, nothing is read', async (t) => {
  t.is(await readPackageEnergy(join(tmpdir(), 'pmvx-there-is-no-such-folder')), undefined);
  t.is(await readPackageEnergy(powercap(t, {})), undefined);
  t.is(await readPackageEnergy(powercap(t, { 'intel-rapl:0': ['package-0', ''] })), undefined);
});

test('energy is the sum over packages, also when a counter started again', (t) => {
  const reading = (...values: number[]) =>
    new Map(values.map((microjoules, at) => [`intel-rapl:${at}`, { microjoules, range: 10e6 }]));
  t.is(joulesBetween(reading(1e6, 2e6), reading(3e6, 2.5e6)), 2.5);
  t.is(joulesBetween(reading(9e6), reading(1e6)), 2);
  t.is(joulesBetween(reading(1e6), reading(1e6, 1e6)), undefined);
});

const OUTCOME: GuestOutcome = { ended: 'done', frames: [], transcript: '', consoleTail: '', hostSeconds: 1 };

function sceneOf() {
  let microjoules = 0;
  const ends: (() => void)[] = [];
  const slow: Engine = {
    name: 'kvm',
    runTrial: () => new Promise((resolve) => ends.push(() => resolve(OUTCOME))),
  };
  const engine = withPackageEnergy(slow, async () => {
    microjoules += 3e6;
    return new Map([['intel-rapl:0', { microjoules, range: 1e12 }]]);
  });
  const begin = () => engine.runTrial({} as Orders, {} as Machine, '', new AbortController().signal);
  const started = async (count: number) => {
    while (ends.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { begin, ends, started };
}

test('a trial that ran alone has its energy', async (t) => {
  const { begin, ends, started } = sceneOf();
  for (const at of [0, 1]) {
    const trial = begin();
    await started(at + 1);
    ends[at]?.();
    t.is((await trial).joules, 3);
  }
});

test('trials that ran at the same time have none, not even the first or the last', async (t) => {
  const { begin, ends, started } = sceneOf();
  const first = begin();
  await started(1);
  const second = begin();
  await started(2);
  ends[0]?.();
  t.is((await first).joules, undefined);
  ends[1]?.();
  t.is((await second).joules, undefined);
});

test('a host without counters leaves the outcome as it is', async (t) => {
  const engine = withPackageEnergy({ name: 'kvm', runTrial: async () => OUTCOME }, async () => undefined);
  t.is(await engine.runTrial({} as Orders, {} as Machine, '', new AbortController().signal), OUTCOME);
});
