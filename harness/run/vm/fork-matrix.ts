// SPDX-License-Identifier: Apache-2.0
// Every policy, with every workload, at every fork point: booted once and forked twice, and all three must be one machine.
//
//   node harness/run/vm/fork-matrix.ts [--points quiescent,warm] [--share K/N] > fork-matrix.csv
//
// One row a combination, as each ends; how far it is, on stderr. A boot of the whole machine with every policy prepared takes
// a minute or more, so that all takes hours: `--share 1/2` and `--share 2/2` at the same time are two halves. Ends with 1 when
// something differs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatCell } from '../../core/csv.ts';
import { isForkPoint } from '../../core/fork-point.ts';
import { loadCatalog } from '../../core/load-catalog.ts';
import { requireImage } from '../../lab/image.ts';
import { cacheFolder } from '../../lab/image-files.ts';
import { snapshotLimit } from '../../lab/snapshots/quota.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { type Combination, combinationsOf, heldBy, live, nameOf, type Proof } from './combinations.ts';
import { inShare } from './share.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const COLUMNS = [
  'policy',
  'workload',
  'point',
  'boot_hash',
  'fork_hash',
  'fork2_hash',
  'transcripts_equal',
  'state',
];

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: 'quiescent,warm' },
    share: { type: 'string', default: '1/1' },
  },
});
const points = values.points.split(',').map((point) => {
  if (isForkPoint(point)) return point;
  throw new Error(`--points: ${JSON.stringify(point)} is no fork point`);
});

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(name)));
const cache = cacheFolder(process.env);
const catalog = heldBy(await loadCatalog(ROOT), 'quick');
const scratch = await mkdtemp(join(tmpdir(), 'pmvx-matrix-'));
const warn = (line: string) => console.error(line);

try {
  const proof: Proof = {
    catalog,
    image: await requireImage(ROOT, cache, 'quick'),
    store: await openSnapshotStore(cache, {
      limitBytes: snapshotLimit(process.env),
      warn,
      signal: stop.signal,
    }),
    machine: {
      engine: 'exact',
      vcpus: 4,
      memoryMiB: 1024,
      speed: 250,
      quantum: 5000,
      topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
    },
    seed: 7,
    scratch,
    signal: stop.signal,
  };
  const mine = combinationsOf(catalog, points).filter(inShare(values.share));
  let different = 0;
  console.log(COLUMNS.join(','));
  for (const [at, each] of mine.entries()) {
    const began = performance.now();
    const { row, equal } = await prove(each, proof);
    if (!equal) different++;
    console.log(row);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    warn(`[${at + 1}/${mine.length}] ${nameOf(each)}: ${equal ? 'equal' : 'DIFFERENT'} (${seconds} s)`);
  }
  warn(`${mine.length - different} of ${mine.length} equal`);
  if (different > 0) process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function prove(
  each: Combination,
  proof: Proof,
): Promise<{ readonly row: string; readonly equal: boolean }> {
  const boot = await live('boot', each, proof);
  const forks = [await live('fork', each, proof), await live('fork', each, proof)] as const;
  const same = (what: 'hash' | 'transcript') => forks.every((fork) => fork[what] === boot[what]);
  const hashes = [boot.hash, forks[0].hash, forks[1].hash];
  const cells = [each.policy, each.workload, each.point, ...hashes, same('transcript'), boot.state];
  return { row: cells.map(formatCell).join(','), equal: same('hash') && same('transcript') };
}
