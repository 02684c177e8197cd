// SPDX-License-Identifier: Apache-2.0
import { FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { type Answer, askMap } from '../../analysis/policy-map/choose/ask.ts';
import { OBJECTIVES, type Objective } from '../../analysis/policy-map/evidence.ts';
import { readMap } from '../../analysis/policy-map/open-map.ts';
import { unitVector } from '../../analysis/policy-map/vector.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { CommandContext } from './context.ts';
import { askedOfHost, LIVE_MS } from './query-live.ts';
import { type Asked, askedOfFile, askedOfTrial } from './query-source.ts';
import { alignedTable } from './table.ts';

export interface QueryArgs {
  readonly map: string;
  /** `RUN/TRIAL`. */
  readonly trial?: string;
  /** Number of a window of that trial, from 0; the whole run without. */
  readonly window?: number;
  /** File with a vector as JSON, `-` for stdin. */
  readonly vector?: string;
  readonly live?: boolean;
  /** How long `live` looks, ms. */
  readonly for?: number;
  readonly objective?: string;
  readonly json?: boolean;
}

/** `pmvx query`: ranked policies for how a system looks, and whether one is sure enough to be recommended. */
export async function queryCommand(args: QueryArgs, context: CommandContext): Promise<ExitCode> {
  const objective = parseObjective(args.objective ?? 'primary');
  const asked = await askedOf(args, context);
  const map = await readMap(args.map);
  try {
    const answer = await answerTo(asked, objective, map);
    if (args.json === true) context.write(JSON.stringify(answer, null, 2));
    else for (const line of formatAnswer(answer)) context.write(line);
    return ExitCode.ok;
  } finally {
    await map.close();
  }
}

async function answerTo(
  asked: Asked,
  objective: Objective,
  map: Awaited<ReturnType<typeof readMap>>,
): Promise<Answer> {
  if (asked.kind === 'unknown') {
    return {
      v: 1,
      recommend: 'eevdf',
      abstained: true,
      why: asked.why,
      objective,
      known: false,
      ranking: [],
      neighbours: [],
    };
  }
  const { features = FEATURES_VERSION, machine, values, where } = asked;
  // A vector of other features may well have another length; then it is no wrong vector, only not one of this map.
  const dimensions = features === map.kind.features ? map.kind.dimensions : values.length;
  return askMap(map, { vector: unitVector(values, dimensions, where), features, machine, objective });
}

export function parseObjective(text: string): Objective {
  const found = OBJECTIVES.find((objective) => objective === text);
  if (found !== undefined) return found;
  throw new PmvxError(ExitCode.usage, {
    where: '--objective',
    what: `there is no objective ${JSON.stringify(text)}`,
    next: didYouMean(text, [...OBJECTIVES]),
  });
}

async function askedOf(args: QueryArgs, context: CommandContext): Promise<Asked> {
  const { trial, vector, live, window } = args;
  const given = [trial, vector, live].filter((each) => each !== undefined).length;
  if (given !== 1) {
    throw new PmvxError(ExitCode.usage, {
      what: given === 0 ? 'nothing to ask about' : 'more than one thing to ask about',
      next: 'Give RUN/TRIAL, --vector FILE or --live',
    });
  }
  if (live === true) return askedOfHost(args.for ?? LIVE_MS, context);
  return trial === undefined ? askedOfFile(vector as string) : askedOfTrial(trial, window, context);
}

function formatAnswer({ recommend, abstained, why, ranking, neighbours, objective }: Answer): string[] {
  const lines = [abstained ? `${recommend}: left alone, because ${why}` : `${recommend}: ${why}`];
  if (ranking.length > 0) {
    const rows = ranking.map(({ policy, ratio, low, high, failures, against }) => ({
      policy,
      [`${objective} cost / eevdf`]: ratio.toFixed(3),
      interval: `${low.toFixed(3)} - ${high.toFixed(3)}`,
      failures: failures === 0 ? '' : `${(100 * failures).toFixed(0)} %`,
      'why not': against ?? '',
    }));
    lines.push('', ...alignedTable(rows));
  }
  if (neighbours.length > 0) {
    const rows = neighbours.map(({ workload, variant, point, distance, cosine }) => ({
      neighbour: workload,
      variant,
      point,
      distance: distance.toFixed(3),
      cosine: cosine.toFixed(3),
    }));
    lines.push('', ...alignedTable(rows));
  }
  return lines;
}
