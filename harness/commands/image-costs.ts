// SPDX-License-Identifier: Apache-2.0
import { cpus } from 'node:os';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { type MachineCost, measureMachine } from '../lab/costs/measure.ts';
import { costTable } from '../lab/costs/table.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import type { Command } from './context.ts';

export interface CostArgs {
  readonly recipe: string;
  readonly vcpus: readonly number[];
  readonly quanta: readonly number[];
  readonly json: boolean;
}

export const COST_DEFAULTS = { vcpus: '1,2,4,8,16', quanta: '5000,20000' } as const;

/** `pmvx image costs RECIPE`: what a virtual second costs the host, by vCPUs, load and quantum. One machine at a time. */
export const imageCostsCommand: Command<CostArgs> = async ({ recipe, vcpus, quanta, json }, context) => {
  const image = await requireImage(context.root, cacheFolder(context.env), recipe);
  const { signal } = context;
  const machines: MachineCost[] = [];
  for (const shape of vcpus.flatMap((n) => quanta.map((quantum) => ({ vcpus: n, quantum })))) {
    const name = `${shape.vcpus} vCPUs, quantum ${shape.quantum}`;
    const began = performance.now();
    machines.push(
      await measureMachine(image, shape, { say: (line) => context.warn(`${name}: ${line}`), signal }),
    );
    context.warn(`${name}: measured in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    qemu: image.manifest.qemuVersion,
    processor: cpus()[0]?.model ?? 'unknown processor',
    command: commandLine(recipe, vcpus, quanta),
  };
  if (json) context.write(JSON.stringify({ v: 1, ...facts, image: image.manifest.id, machines }, null, 2));
  else for (const line of costTable(machines, facts)) context.write(line);
  return ExitCode.ok;
};

function commandLine(recipe: string, vcpus: readonly number[], quanta: readonly number[]): string {
  const given = (name: 'vcpus' | 'quanta', values: readonly number[]) =>
    values.join() === COST_DEFAULTS[name] ? '' : ` --${name} ${values.join()}`;
  return `./pmvx image costs ${recipe}${given('vcpus', vcpus)}${given('quanta', quanta)}`;
}

/** Whole numbers with commas between them, each once. `next` says what may be written. */
export function parseNumbers(
  option: string,
  text: string,
  allowed: (value: number) => boolean,
  next: string,
): number[] {
  const bad = text.split(',').find((word) => !/^\d{1,9}$/.test(word) || !allowed(Number(word)));
  if (bad !== undefined) {
    const what = `${JSON.stringify(bad)} is not possible here`;
    throw new PmvxError(ExitCode.usage, { where: `--${option}`, what, next });
  }
  return [...new Set(text.split(',').map(Number))];
}
