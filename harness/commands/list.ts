// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { formatRuns, listRuns } from '../store/list-runs.ts';
import type { CommandContext } from './context.ts';
import { alignedTable } from './table.ts';

export interface ListArgs {
  /** `policies`, `workloads`, `images` or `runs`. */
  readonly what: string;
  /** All that is known, for programs. */
  readonly json?: boolean;
}

/** One image a row, cells by column title; also what `--json` prints. */
export type ImageRows = (context: CommandContext) => Promise<readonly Readonly<Record<string, string>>[]>;

interface Listing {
  readonly data: unknown;
  readonly lines: readonly string[];
}

/** `pmvx list policies|workloads|images|runs`: what there is. */
export async function listCommand(
  args: ListArgs,
  context: CommandContext,
  imageRows: ImageRows = recipeRows,
): Promise<ExitCode> {
  const listings: Readonly<Record<string, () => Promise<Listing>>> = {
    policies: () => policies(context),
    workloads: () => workloads(context),
    images: () => images(context, imageRows),
    runs: () => runs(context),
  };
  const listing = Object.hasOwn(listings, args.what) ? listings[args.what] : undefined;
  if (listing === undefined) {
    const what = `there is no list of ${JSON.stringify(args.what)}`;
    throw new PmvxError(ExitCode.usage, { what, next: didYouMean(args.what, Object.keys(listings)) });
  }
  const { data, lines } = await listing();
  if (args.json) context.write(JSON.stringify(data, null, 2));
  else for (const line of lines) context.write(line);
  return ExitCode.ok;
}

async function policies(context: CommandContext): Promise<Listing> {
  const { policies } = await context.catalog();
  const all = [...policies.values()];
  return {
    data: all.map(({ id, definition }) => ({ id, ...definition })),
    lines: alignedTable(all.map(({ id, definition: { kind, summary } }) => ({ policy: id, kind, summary }))),
  };
}

async function workloads(context: CommandContext): Promise<Listing> {
  const { workloads } = await context.catalog();
  const all = [...workloads.values()];
  return {
    data: all.map(({ id, definition }) => ({ id, ...definition })),
    lines: alignedTable(
      all.map(({ id, definition }) => ({
        workload: id,
        class: definition.class,
        metric: Object.keys(definition.metrics).find((name) => definition.metrics[name]?.primary) ?? '',
        summary: definition.summary,
      })),
    ),
  };
}

async function images(context: CommandContext, imageRows: ImageRows): Promise<Listing> {
  const rows = await imageRows(context);
  const none = 'no image recipes in vm-images/recipes';
  return { data: rows, lines: rows.length === 0 ? [none] : alignedTable(rows) };
}

async function recipeRows(context: CommandContext): Promise<{ recipe: string }[]> {
  const { recipes } = await context.catalog();
  return recipes.map((recipe) => ({ recipe }));
}

async function runs(context: CommandContext): Promise<Listing> {
  const summaries = await listRuns(join(context.root, 'results', 'runs'));
  return { data: summaries, lines: formatRuns(summaries) };
}
