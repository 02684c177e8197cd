// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { NAME_PATTERN } from '../../harness/core/ids.ts';
import { WORKLOAD_CLASSES } from '../../harness/core/workload.ts';
import { readYaml } from '../../harness/core/yaml-source.ts';
import { zodFaults } from '../../harness/core/zod-faults.ts';
import { FIGURE_IDS } from '../run-figures.ts';

export const CLAIMS_FILE = 'paper-figs/claims.yaml';

const text = z.string().min(1).max(2000);
const name = z.string().regex(NAME_PATTERN);
const share = z.number().min(0).max(1);
const classes = z.array(z.enum(WORKLOAD_CLASSES)).min(1);

/** What a figure may show: a run, as `pmvx figures` does, or what vectors and a map are judged by. */
const CLAIM_FIGURES = [...FIGURE_IDS, 'similarity', 'recommendations'] as const;

const ClaimTest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('identical-copies'), forked: name, booted: name }),
  z.strictObject({
    kind: z.literal('selection-gains'),
    experiment: name,
    classes,
    gain: share,
    margin: share,
  }),
  z.strictObject({
    kind: z.literal('no-harm'),
    experiment: name,
    classes,
    margin: share,
    /** Where the daemon ran, which has a cost of its own. */
    replays: z.array(name).default([]),
  }),
  z.strictObject({ kind: z.literal('other-subsystems'), experiment: name, margin: share }),
  z.strictObject({
    kind: z.literal('vectors-tell-apart'),
    experiments: z.array(name).min(1),
    accuracy: share,
  }),
  z.strictObject({ kind: z.literal('map-recommends'), experiment: name, vectors: name, regret: share }),
  z.strictObject({ kind: z.literal('replay-wins'), replay: name, margin: share }),
  z.strictObject({ kind: z.literal('replay-switches'), replay: name }),
  /** One day before and after `pmvx tune` has evaluated what the map did not know of it. */
  z.strictObject({ kind: z.literal('replay-learns'), before: name, after: name, margin: share }),
  z.strictObject({ kind: z.literal('not-testable'), why: text }),
]);

const Claim = z.strictObject({
  id: z.string().regex(/^C[1-9]\d?$/),
  claim: text,
  /** Where the paper says it. */
  section: text,
  /** What would show it here, in words; `test` says the same to the program. */
  expect: text,
  /** What the test cannot show, whatever its verdict. */
  limit: text.optional(),
  test: ClaimTest,
  figures: z.array(z.strictObject({ kind: z.enum(CLAIM_FIGURES), of: name })).default([]),
});

/** The contents of `paper-figs/claims.yaml`. An experiment has the name of a spec in `harness/experiments` for each size; `full` is `quick` when absent. */
export const ClaimsSchema = z.strictObject({
  experiments: z.record(name, z.strictObject({ quick: name, full: name.optional() })),
  /** Folders of replays that are kept, below the project's root. */
  replays: z.record(name, z.string().regex(/^results\/[\w./-]+$/)).default({}),
  claims: z.array(Claim).min(1),
});

export type Claims = z.infer<typeof ClaimsSchema>;
export type Claim = Claims['claims'][number];
export type ClaimTest = Claim['test'];

/** Reads and checks the claims under `root`. Throws all faults at once, as `file:line:col`. */
export async function readClaims(root: string): Promise<Claims> {
  const source = readYaml(await readFile(join(root, CLAIMS_FILE), 'utf8'), CLAIMS_FILE);
  if (source.faults.length > 0) throw new PmvxError(ExitCode.usage, source.faults);
  const parsed = ClaimsSchema.safeParse(source.value);
  if (!parsed.success) throw new PmvxError(ExitCode.usage, zodFaults(parsed.error, source, ClaimsSchema));
  const { experiments, replays } = parsed.data;
  const faults = parsed.data.claims.flatMap((claim, at) => {
    const named = [...experimentsOf(claim.test), ...claim.figures.map(({ of }) => of)];
    const unknown = (names: readonly string[], known: object, what: 'experiment' | 'replay') =>
      names
        .filter((each) => !Object.hasOwn(known, each))
        .map((each) => ({
          where: source.locate(['claims', at]),
          what: `${claim.id} names the ${what} ${each}, which "${what}s" does not have`,
          next: `Add it there${nearby(known)}`,
        }));
    return [
      ...unknown(named, experiments, 'experiment'),
      ...unknown(replaysOf(claim.test), replays, 'replay'),
    ];
  });
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  return parsed.data;
}

function nearby(known: object): string {
  const names = Object.keys(known).join(', ');
  return names === '' ? '' : `, or name one of ${names}`;
}

/** The experiments that a test reads. */
export function experimentsOf(test: ClaimTest): readonly string[] {
  switch (test.kind) {
    case 'identical-copies':
      return [test.forked, test.booted];
    case 'vectors-tell-apart':
      return test.experiments;
    case 'map-recommends':
      return [test.experiment, test.vectors];
    case 'replay-wins':
    case 'replay-switches':
    case 'replay-learns':
    case 'not-testable':
      return [];
    default:
      return [test.experiment];
  }
}

/** The replays that a test reads. */
function replaysOf(test: ClaimTest): readonly string[] {
  switch (test.kind) {
    case 'no-harm':
      return test.replays;
    case 'replay-wins':
    case 'replay-switches':
      return [test.replay];
    case 'replay-learns':
      return [test.before, test.after];
    default:
      return [];
  }
}
