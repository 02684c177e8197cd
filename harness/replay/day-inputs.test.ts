// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import { parseArms } from './arms.ts';
import { dayInputs } from './day-inputs.ts';
import { readDay } from './read-day.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('a daemon that may choose nothing is refused before anything runs, one with a policy is not', async (t) => {
  const catalog = await loadCatalog(ROOT);
  const day = await readDay(join(ROOT, 'harness/replay/days/flapping-day.yaml'), catalog);
  const given = (arms: string) => () =>
    dayInputs({ root: ROOT, day, arms: parseArms(arms, catalog), catalog, map: Buffer.from('map') });
  t.throws(given('eevdf,auto'), {
    message: /--arms: the daemon has nothing to choose from\. Add static:POLICY/,
  });
  t.notThrows(given('eevdf,static:pmvx_chain,auto'));
  t.notThrows(given('eevdf'));
});
