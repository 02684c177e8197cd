// SPDX-License-Identifier: Apache-2.0
// The daemon as a process, killed and betrayed in every way, beside a stand-in for the kernel. With the real one:
// harness/run/vm/autotune.vm.test.ts.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openFakeSite } from './fake/site.ts';
import { injectFaults } from './inject.ts';

/** How long a fault may take on a busy machine; what it takes on an idle one is measured in the guest. */
const PATIENCE_MS = 120_000;

test('after each kind of fault the machine works, the daemon tells what is, and every switch was told of', async (t) => {
  t.timeout(20 * PATIENCE_MS, 'faults are to fail, not to hang');
  const site = await openFakeSite(mkdtempSync(join(tmpdir(), 'pmvx-faults-')), {
    // A busy machine keeps a daemon without a real-time priority waiting.
    guardianMs: 5000,
    patienceMs: PATIENCE_MS,
  });
  try {
    if (!site.kinds.includes('full-disk')) t.log('nothing can be mounted here: no full disk was tried');
    const seed = Date.now() % 2 ** 31;
    t.log(`seed ${seed}`);
    const injections = await injectFaults(site, {
      seed,
      count: site.kinds.length,
      patienceMs: PATIENCE_MS,
      say: ({ kind, under, recoveredMs }) => t.log(`${kind} under ${under}: ${recoveredMs?.toFixed(0)} ms`),
    });
    for (const { kind, under, recoveredMs, faults } of injections)
      t.true(recoveredMs !== undefined, `${kind} under ${under}: ${faults.join('; ')}`);
    t.deepEqual(injections.map(({ kind }) => kind).sort(), [...site.kinds].sort());
  } finally {
    await site.close();
  }
});
