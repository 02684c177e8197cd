// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { EEVDF, type Selection, type Status, type Window } from '../contracts.ts';
import type { ControlClient } from '../daemon/control-client.ts';
import { askNow, nearestIn } from './ask-map.ts';
import { ToolError } from './failure.ts';
import type { McpParts } from './parts.ts';
import { health, near, percent, vector } from './shapes.ts';
import { tool } from './tool.ts';

/** The machine as it was seen last. */
export interface Observed {
  readonly source: 'daemon' | 'probes';
  readonly at: string;
  readonly window: Pick<Window, 'ms' | 'health' | 'vector' | 'unknown'>;
  readonly selection?: Selection;
  readonly status?: Status;
}

/** From the daemon when one runs, else one window by probes of our own. */
export async function observeNow(parts: McpParts, windowMs: number, signal: AbortSignal): Promise<Observed> {
  const client = await daemonIfAny(parts);
  if (client === undefined) {
    return { source: 'probes', at: new Date().toISOString(), window: await parts.sense(windowMs, signal) };
  }
  try {
    const status = await client.call('status', {});
    const lines = await client.call('decisions', { count: 50, all: true });
    const last = lines.findLast((line) => line.kind === 'decision');
    if (last === undefined) {
      throw new ToolError('no-window', 'the daemon has not closed a window yet', 'Ask again in a second');
    }
    const { window, vector: seen, unknown, selection, at } = last;
    return {
      source: 'daemon',
      at,
      window: {
        ms: window.ms,
        health: window.health,
        ...(seen === undefined ? {} : { vector: seen }),
        ...(unknown === undefined ? {} : { unknown }),
      },
      selection,
      status,
    };
  } finally {
    client.close();
  }
}

/** Undefined when no daemon listens; that one may not talk to it is an error. */
async function daemonIfAny(parts: McpParts): Promise<ControlClient | undefined> {
  try {
    return await parts.daemon();
  } catch (error) {
    const none =
      error instanceof PmvxError &&
      error.code === ExitCode.environment &&
      /no pmvx autotune listens/.test(error.message);
    if (none) return undefined;
    throw error;
  }
}

const Output = z.object({
  source: z
    .enum(['daemon', 'probes'])
    .describe('Who observed: the running daemon, or probes loaded for this call'),
  at: z.string().describe('ISO 8601'),
  window: z.object({ ms: z.number(), health }),
  vector: vector.optional(),
  unknown: z.string().optional().describe('Why nothing can be said of how the machine looks'),
  regime: z
    .object({
      nearest: z.array(near),
      known: z.boolean().describe('Whether the nearest is near enough for the map to speak'),
    })
    .optional()
    .describe('Known situations that the window looks like'),
  policy: z.string().describe('In effect now'),
  kernel: z.object({ state: z.string(), ops: z.string().optional(), enableSeq: z.number().optional() }),
  daemon: z
    .object({
      mode: z.string(),
      why: z.string().optional(),
      dryRun: z.boolean(),
      dwellLeftMs: z.number(),
      switchesInLastHour: z.number(),
      quarantine: z.array(z.object({ policy: z.string(), leftMs: z.number(), why: z.string() })),
      faults: z.array(z.string()),
    })
    .optional(),
});

export const observeTool = (parts: McpParts) =>
  tool({
    name: 'observe',
    title: 'Observe this machine',
    description:
      'How this machine looks right now: its workload vector, the known situations that it resembles, waiting and pressure, and which scheduling policy is in effect. Start here when something got slow.',
    input: z.object({
      windowMs: z
        .number()
        .min(250)
        .max(5000)
        .default(1000)
        .describe('How long to observe when no daemon runs, ms'),
    }),
    output: Output,
    effects: 'reads',
    async run({ windowMs }, { signal }) {
      const observed = await observeNow(parts, windowMs, signal);
      const { window, status, selection } = observed;
      const kernel = status?.kernel ?? parts.kernel();
      const regime = await regimeOf(parts, observed);
      const data: z.infer<typeof Output> = {
        source: observed.source,
        at: observed.at,
        window: { ms: window.ms, health: window.health },
        ...(window.vector === undefined
          ? {}
          : { vector: { features: window.vector.features, values: [...window.vector.values] } }),
        ...(window.unknown === undefined ? {} : { unknown: window.unknown }),
        ...(regime === undefined ? {} : { regime }),
        policy: status?.policy ?? kernel.ops ?? EEVDF,
        kernel: {
          state: kernel.state,
          ...(kernel.ops === undefined ? {} : { ops: kernel.ops }),
          ...(kernel.enableSeq === undefined ? {} : { enableSeq: kernel.enableSeq }),
        },
        ...(status === undefined ? {} : { daemon: daemonOf(status) }),
      };
      return { words: wordsOf(data, selection), data };
    },
  });

function daemonOf({ mode, why, dry, dwellLeftMs, switchesInLastHour, quarantine, faults }: Status) {
  return {
    mode,
    ...(why === undefined ? {} : { why }),
    dryRun: dry,
    dwellLeftMs,
    switchesInLastHour,
    quarantine: quarantine.map((each) => ({ policy: each.policy, leftMs: each.leftMs, why: each.why })),
    faults: [...faults],
  };
}

/** What the daemon's selector said, or what the map says; undefined without a map, a daemon or a vector. */
async function regimeOf(
  parts: McpParts,
  { window, selection }: Observed,
): Promise<z.infer<typeof Output>['regime']> {
  if (selection !== undefined) {
    return {
      nearest: selection.neighbours.map(({ workload, variant, distance }) => ({
        workload,
        variant,
        distance,
      })),
      known: !selection.novel && selection.neighbours.length > 0,
    };
  }
  if (window.vector === undefined) return undefined;
  try {
    return nearestIn(await askNow(parts, window.vector, parts.objective));
  } catch (error) {
    // Without a map the machine is observed all the same.
    if (error instanceof ToolError && error.failure.code === 'no-map') return undefined;
    throw error;
  }
}

function wordsOf(data: z.infer<typeof Output>, selection: Selection | undefined): string {
  const { health: seen } = data.window;
  const facts = [
    seen.busy === undefined ? undefined : `processors ${percent(seen.busy)} busy`,
    seen.waitP99Us === undefined
      ? undefined
      : `waiting for a CPU up to ${(seen.waitP99Us / 1000).toFixed(2)} ms (99th percentile)`,
    seen.pressure.cpu === undefined ? undefined : `CPU pressure ${percent(seen.pressure.cpu)}`,
  ].filter((fact) => fact !== undefined);
  const [nearest] = data.regime?.nearest ?? [];
  const looks =
    data.unknown !== undefined
      ? `Nothing can be said of how it looks: ${data.unknown}.`
      : nearest === undefined
        ? 'It looks like nothing that is known.'
        : `It looks ${data.regime?.known === false ? 'most' : ''} like ${nearest.workload} (${nearest.variant}), ${nearest.distance.toFixed(2)} away.`.replace(
            '  ',
            ' ',
          );
  const wants =
    selection === undefined ? '' : ` The daemon's selector says ${selection.policy}: ${selection.why}.`;
  return `${data.policy} is in effect; ${facts.join(', ')}. ${looks}${wants}`;
}
