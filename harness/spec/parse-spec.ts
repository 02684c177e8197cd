// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';
import { readYaml, type YamlSource } from '../core/yaml-source.ts';
import { zodFaults } from '../core/zod-faults.ts';
import { baselineFaults, controlFaults, imageFaults, policyFaults, roomFaults } from './catalog-faults.ts';
import type { SpecFault } from './fault.ts';
import { imageContentFaults } from './image-faults.ts';
import { isMap } from './is-map.ts';
import { machineFaults } from './machine-faults.ts';
import { normalise } from './normalise.ts';
import { planSizeFaults } from './plan-size.ts';
import { counterfactualFaults, pointFaults } from './point-faults.ts';
import { probeFaults } from './probe-faults.ts';
import { RawSpec } from './raw-spec.ts';
import { stopFaults } from './stop-faults.ts';
import { workloadFaults } from './workload-faults.ts';

/** Faults told for one file; the rest is counted. */
const MOST_FAULTS = 100;

/**
 * Turns the YAML text of a spec into a complete spec.
 * @param file name of the text in messages.
 * @param engine instead of the spec's.
 * @throws PmvxError (usage) with every fault, in the order of the text, each `file:line:col: what. next`.
 */
export function parseSpec(text: string, file: string, catalog: Catalog, engine?: EngineName): Spec {
  const source = readYaml(text, file);
  const parsed = RawSpec.safeParse(source.value);
  const meaning = meaningFaults(source.value, catalog).map((fault) => placed(fault, source));
  const schema = parsed.error && source.value !== undefined ? zodFaults(parsed.error, source, RawSpec) : [];
  // One fault a place: "a whole number from 1 to 16" says more than "one number or one word", and what stands in for an
  // alias is not what the user wrote.
  const content = unlessAt(source.faults, [...meaning, ...unlessAt(meaning, schema)]);
  const size = planSizeFaults(source.value).map((fault) => placed(fault, source));
  const faults = [...source.faults, ...content, ...size];
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, inOrder(faults, file));
  // `data` is there: a schema that finds no fault has parsed the value.
  return normalise(parsed.data as RawSpec, catalog, engine);
}

function meaningFaults(value: unknown, catalog: Catalog): SpecFault[] {
  if (!isMap(value)) return [];
  return [
    ...imageFaults(value.image, catalog),
    ...policyFaults(value.policies, catalog),
    ...roomFaults(value.policies, catalog),
    ...workloadFaults(value.workloads, catalog),
    ...imageContentFaults(value, catalog),
    ...machineFaults(value.machine),
    ...counterfactualFaults(value),
    ...pointFaults(value, catalog),
    ...baselineFaults(value.baseline, value.policies),
    ...controlFaults(value.controls),
    ...stopFaults(value),
    ...probeFaults(value),
  ];
}

function placed({ path, part, what, next }: SpecFault, source: YamlSource): Fault {
  return { where: source.locate(path, part ?? 'value'), what, next };
}

function unlessAt(told: readonly Fault[], faults: readonly Fault[]): Fault[] {
  const places = new Set(told.map(({ where }) => where));
  return faults.filter(({ where }) => !places.has(where));
}

function inOrder(faults: readonly Fault[], file: string): Fault[] {
  const sorted = faults
    .map((fault) => ({ fault, place: placeOf(fault) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ fault }) => fault);
  const rest = sorted.length - MOST_FAULTS;
  if (rest <= 0) return sorted;
  const more = { where: file, what: `${rest} more faults`, next: 'Mend these first.' };
  return [...sorted.slice(0, MOST_FAULTS), more];
}

/** Line and column of `file:line:col`; a fault of the whole file comes first. */
function placeOf({ where = '' }: Fault): { readonly line: number; readonly column: number } {
  const [, line = 0, column = 0] = /:(\d+):(\d+)$/.exec(where) ?? [];
  return { line: Number(line), column: Number(column) };
}
