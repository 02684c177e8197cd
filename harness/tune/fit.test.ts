// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { halfBusy, histogramFrom, sampleCounted } from '../../analysis/features/sample-counted.ts';
import { scaledReadings } from '../../analysis/features/workload-vector.ts';
import type { Bench } from './bench.ts';
import { bestMixture, cosineOf, fitProfile } from './fit.ts';
import { guessProfiles } from './guess.ts';
import { lookAt } from './look.ts';
import { movesOf } from './moves.ts';
import { formatProfile, type Group, legalProfile, type Profile, USUAL } from './profile.ts';

const OPTIONS = { enough: 0.99, budget: 60, mips: 250, lastsSeconds: 0.4, say: () => undefined };

/** A machine of paper: runs as long as the first group's, faults as its pages say, all else as it was. */
function paperMachine(profile: Profile) {
  const [first] = profile as [Group];
  const runs = 400;
  const seconds = Math.max(1e-6, first.run / 250e6);
  const bucket = Math.min(23, Math.max(0, Math.floor(Math.log2((seconds * 1e9) / 512))));
  const base = halfBusy().sets;
  return sampleCounted({
    ...({ ...base } as object),
    cpu: { ...(base.cpu as object), run_ns: seconds * runs * 1e9, run: histogramFrom(bucket, runs) } as never,
    mem: { fault_handled: 100 + (first.pages * runs) / 1000, pages_allocated: 200, reclaim_scanned: 0 },
  });
}

function paperBench(): Bench & { tried: Profile[] } {
  const tried: Profile[] = [];
  return {
    tried,
    async measure(profiles) {
      tried.push(...profiles);
      return profiles.map((profile) => ({
        kind: 'counted' as const,
        counted: paperMachine(profile),
        makespanSeconds: 0.4,
      }));
    },
  };
}

test('the search comes nearer than its guesses, within its budget, and the same way each time', async (t) => {
  const wanted = paperMachine([{ ...USUAL, run: 3_000_000, pages: 900_000 }]);
  const guesses = guessProfiles({ look: lookAt(wanted), mips: 250, lastsSeconds: 0.4 });
  const guessed = await paperBench().measure(guesses);
  const near = guessed.map((each) =>
    each.kind === 'counted' ? cosineOf(scaledReadings(each.counted), scaledReadings(wanted)) : -1,
  );
  const bench = paperBench();
  const fit = await fitProfile(wanted, { ...OPTIONS, bench });
  t.true(
    (fit?.cosine ?? 0) > Math.max(...near) + 0.005,
    `${fit?.cosine}, and the best guess ${Math.max(...near)}`,
  );
  t.true(bench.tried.length <= OPTIONS.budget);
  t.is(fit?.runs, bench.tried.length);
  const again = paperBench();
  t.deepEqual(await fitProfile(wanted, { ...OPTIONS, bench: again }), fit);
  const short = paperBench();
  await fitProfile(wanted, { ...OPTIONS, enough: 2, budget: 7, bench: short });
  t.is(short.tried.length, 7);
});

test('a bench on which nothing runs gives no profile', async (t) => {
  const bench: Bench = {
    measure: async (profiles) => profiles.map(() => ({ kind: 'none', why: 'timed-out: it hung' })),
  };
  const lines: string[] = [];
  t.is(await fitProfile(halfBusy(), { ...OPTIONS, bench, say: (line) => lines.push(line) }), undefined);
  t.regex(lines.join('\n'), /no result: timed-out: it hung/);
});

test('effects that add up are mixed so that their sum points where it should', (t) => {
  const move = (graded: boolean) => ({ name: 'm', graded, apply: (profile: Profile) => profile });
  const effects = [
    { move: move(true), difference: [0, 2, 0] },
    { move: move(true), difference: [0, 0, 4] },
    { move: move(false), difference: [-3, 0, 0] },
  ];
  const steps = bestMixture([1, 0, 0], effects, [1, 1, 2]);
  t.deepEqual(steps, [0.5, 0.5, 0]);
  t.true(cosineOf([1, 1, 2], [1, 1, 2]) > 1 - 1e-12);
});

test('guesses follow the counters: who sleeps in what, and how many are runnable', (t) => {
  const look = lookAt(halfBusy());
  t.is(Math.round((10 * (look.busy + look.waited)) / look.seconds), 25, '2.5 tasks at once');
  const guesses = guessProfiles({ look, mips: 250, lastsSeconds: 0.4 });
  t.true(guesses.length >= 4);
  for (const profile of guesses) {
    const links = new Set(profile.map(({ link }) => link));
    t.true(links.has('futex') || links.has('none') || links.has('timer'), [...links].join());
    t.true(profile.length <= 16);
  }
  t.true(
    guesses.some((profile) => profile.some(({ call }) => call === 'epoll')),
    'a tenth sleeps in epoll',
  );
});

test('every change of a legal profile is legal, and the driver could run it', (t) => {
  const guesses = guessProfiles({ look: lookAt(halfBusy()), mips: 250, lastsSeconds: 0.4 });
  for (const profile of guesses) {
    for (const move of movesOf(profile)) {
      for (const steps of [-1, 0, 1, 1.5]) {
        const changed = legalProfile(move.apply(profile, steps));
        t.true(changed.length <= 16, move.name);
        for (const group of changed) {
          t.true(group.send <= changed.length, `${move.name}: group ${group.send} of ${changed.length}`);
          for (const value of Object.values(group))
            t.true(typeof value === 'string' || Number.isInteger(value), move.name);
        }
        t.regex(formatProfile(changed, 'c'), /^pmvx-synth 1\n# c\n(group .+\n)+$/);
      }
    }
  }
});
