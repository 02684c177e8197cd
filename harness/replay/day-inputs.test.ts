// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../core/load-catalog.ts';
import { parseArms, policyOf } from './arms.ts';
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

test('on the real host it is the daemon that applies a static arm, before the day begins', async (t) => {
  const catalog = await loadCatalog(ROOT);
  const arms = parseArms('static:pmvx_chain', catalog);
  const planFor = async (engine: 'exact' | 'native') => {
    const day = await readDay(join(ROOT, 'harness/replay/days/flapping-day.yaml'), catalog, engine);
    const { filesOf } = dayInputs({ root: ROOT, day, arms, catalog, map: Buffer.from('map') });
    const policies = arms.map((arm) => policyOf(arm, catalog, engine).definition.kind);
    return { policies, plans: arms.map((arm) => String(filesOf(arm)[0]?.content)) };
  };
  const exact = await planFor('exact');
  t.deepEqual(exact.policies, ['builtin', 'struct_ops']);
  t.true(exact.plans.every((plan) => !plan.includes('helper')));
  const native = await planFor('native');
  t.deepEqual(native.policies, ['builtin', 'builtin']);
  const [eevdf = '', chain = ''] = native.plans;
  t.false(eevdf.includes('helper'));
  t.regex(chain, /^arg \/run\/pmvx\narg pmvx_chain\nsocket /m);
});
