// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { absence, type Catalog } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import { packageName } from '../core/image-contents.ts';
import { didYouMean } from '../core/nearest.ts';
import { deriveSeed } from '../core/seed.ts';
import type { EngineName } from '../core/trial.ts';
import type { ParameterValues, Workload } from '../core/workload.ts';
import { readYaml } from '../core/yaml-source.ts';
import { zodFaults } from '../core/zod-faults.ts';
import { ConfigSchema } from '../runtime/daemon/config.ts';
import { normaliseMachine } from '../spec/normalise.ts';
import { resolveParameters } from '../spec/parameters.ts';
import type { Day, Part, Phase } from './day.ts';
import { RawDay } from './raw-day.ts';

type RawPart = RawDay['phases'][number]['parts'][number];
type Place = (path: readonly PropertyKey[], part?: 'key') => string;

/** Reads the day that `path` names; throws with every fault, each with its place. `engine` replaces the day's own. */
export async function readDay(path: string, catalog: Catalog, engine?: EngineName): Promise<Day> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new PmvxError(ExitCode.usage, {
      where: path,
      what: error.code === 'ENOENT' ? 'no such file' : `cannot be read (${error.code})`,
      next: 'Days that ship are in harness/replay/days.',
    });
  });
  return parseDay(text, path, catalog, engine);
}

export function parseDay(text: string, file: string, catalog: Catalog, engine?: EngineName): Day {
  const source = readYaml(text, file);
  const parsed = RawDay.safeParse(source.value);
  const faults: Fault[] = [...source.faults];
  if (parsed.error !== undefined) {
    if (source.value !== undefined) faults.push(...zodFaults(parsed.error, source, RawDay));
    throw new PmvxError(ExitCode.usage, faults);
  }
  const raw = parsed.data;
  const config = ConfigSchema.safeParse(raw.autotune);
  if (config.error !== undefined) {
    const locate: Place = (path, part) => source.locate(['autotune', ...path], part);
    const found = zodFaults(config.error, { ...source, value: raw.autotune, locate }, ConfigSchema);
    faults.push(...found.map((fault) => ({ ...fault, what: `autotune: ${fault.what}` })));
  }
  const machine = normaliseMachine({ ...raw.machine, engine: engine ?? raw.machine.engine });
  if (machine.engine === 'mock') {
    faults.push({
      where: source.locate(['machine', 'engine']),
      what: 'a day is lived on a machine, and mock has none',
      next: 'Use exact, tcg, kvm or native',
    });
  }
  if (machine.engine === 'native') faults.push(...hostFaults(raw, source.locate));
  faults.push(...imageFaults(raw, catalog, source.locate), ...nameFaults(raw, source.locate));
  const phases = raw.phases.map((phase, at): Phase => {
    const parts = phase.parts.flatMap((part, index) => {
      const read = readPart(part, catalog, ['phases', at, 'parts', index], source.locate, {
        engine: machine.engine,
        draw: (low, high) => low + (deriveSeed(raw.seed, 'rounds', phase.name, index) % (high - low + 1)),
      });
      faults.push(...read.faults);
      return read.part === undefined ? [] : [read.part];
    });
    return { name: phase.name, parts, before: phase.before };
  });
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  const { name, about, image, order, autotune, missingProbes, madeUp } = raw;
  const said = about === undefined ? {} : { about };
  return { name, ...said, image, machine, order, phases, autotune, missingProbes, madeUp };
}

function readPart(
  raw: RawPart,
  catalog: Catalog,
  path: readonly PropertyKey[],
  locate: Place,
  given: { readonly engine: EngineName; readonly draw: (low: number, high: number) => number },
): { readonly part?: Part; readonly faults: readonly Fault[] } {
  const workload = catalog.workloads.get(raw.use);
  if (workload === undefined)
    return { faults: [{ where: locate([...path, 'use']), ...absence('workload', raw.use, catalog) }] };
  const [low, high] = typeof raw.rounds === 'number' ? [raw.rounds, raw.rounds] : raw.rounds;
  const count = high < low ? low : given.draw(low, high);
  const faults: Fault[] = [];
  if (high < low) {
    const what = `rounds must be drawn from a smaller number to a larger one, got ${low} and ${high}`;
    faults.push({ where: locate([...path, 'rounds']), what, next: 'Exchange them' });
  }
  const rounds = Array.from({ length: count }, (_, round): ParameterValues => {
    const { params, faults: found } = resolveParameters(
      workload,
      { ...raw.with, ...rampedTo(raw, count === 1 ? 0 : round / (count - 1)) },
      given.engine,
    );
    // A value that is wrong in one round is told once.
    if (round === 0 || round === count - 1) {
      faults.push(
        ...found.map(({ name, unknown, what, next }) => {
          const at = [...path, Object.hasOwn(raw.ramp, name) ? 'ramp' : 'with', name];
          return { where: locate(at, unknown ? 'key' : undefined), what, next };
        }),
      );
    }
    return params;
  });
  const metric = metricOf(workload, raw.metric);
  if (metric === undefined) {
    const known = Object.keys(workload.definition.metrics);
    const what = `${raw.use} has no metric ${raw.metric}`;
    const next = didYouMean(String(raw.metric), known);
    faults.push({ where: locate([...path, 'metric']), what, next });
  }
  return {
    ...(metric === undefined ? {} : { part: { workload: raw.use, metric, rounds } }),
    faults: faults.filter(({ where }, at) => faults.findIndex((each) => each.where === where) === at),
  };
}

function rampedTo({ ramp }: RawPart, share: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ramp).map(([name, [from, to]]) => [name, Math.round(from + (to - from) * share)]),
  );
}

function metricOf({ definition }: Workload, wanted: string | undefined): string | undefined {
  if (wanted !== undefined) return Object.hasOwn(definition.metrics, wanted) ? wanted : undefined;
  const entries = Object.entries(definition.metrics);
  return (entries.find(([, { primary }]) => primary) ?? entries[0])?.[0];
}

function imageFaults(raw: RawDay, catalog: Catalog, locate: Place): Fault[] {
  const contents = catalog.images?.get(raw.image);
  if (contents === undefined) {
    const next = didYouMean(raw.image, catalog.recipes);
    return [{ where: locate(['image']), what: `there is no image recipe ${raw.image}`, next }];
  }
  if (contents.runtime !== true) {
    const what = `image ${raw.image} has no Node, so the daemon cannot live in it`;
    return [{ where: locate(['image']), what, next: 'Use image: runtime' }];
  }
  const names = new Set(contents.packages.map(packageName));
  return raw.phases.flatMap(({ parts }, phase) =>
    parts.flatMap(({ use }, part) => {
      const needs = catalog.workloads.get(use)?.definition.packages.map(packageName) ?? [];
      const missing = needs.filter((each) => !names.has(each));
      if (missing.length === 0) return [];
      const where = locate(['phases', phase, 'parts', part, 'use']);
      const what = `workload ${use} needs ${missing.join(', ')}, which image ${raw.image} does not have`;
      return [{ where, what, next: 'Add the packages to the recipe, or choose another workload' }];
    }),
  );
}

/** What may be done to a guest, and not to this host. */
function hostFaults({ phases, madeUp }: RawDay, locate: Place): Fault[] {
  const next = 'Live this day in a guest: exact, tcg or kvm';
  const clocks = phases.flatMap(({ before }, phase) =>
    before.flatMap((act, at) =>
      'clock' in act
        ? [{ where: locate(['phases', phase, 'before', at]), what: "it would move this host's clock", next }]
        : [],
    ),
  );
  if (madeUp.length === 0) return clocks;
  const what = `${madeUp.join(', ')} would harm this host`;
  return [...clocks, { where: locate(['madeUp']), what, next }];
}

function nameFaults({ phases }: RawDay, locate: Place): Fault[] {
  return phases.flatMap(({ name }, at) =>
    phases.findIndex((each) => each.name === name) === at
      ? []
      : [
          {
            where: locate(['phases', at, 'name']),
            what: `two phases are called ${name}`,
            next: 'Rename one',
          },
        ],
  );
}
