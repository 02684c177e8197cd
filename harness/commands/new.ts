// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { NAME_PATTERN } from '../core/ids.ts';
import { didYouMean } from '../core/nearest.ts';
import {
  experimentFiles,
  type NewFile,
  POLICY_KINDS,
  type PolicyKind,
  policyFiles,
  workloadFiles,
} from '../scaffold/templates.ts';
import type { CommandContext } from './context.ts';

export interface NewArgs {
  /** `workload`, `policy` or `experiment`. */
  readonly what: string;
  readonly name: string;
  /** Of a policy. */
  readonly kind?: string;
}

const THINGS = ['workload', 'policy', 'experiment'] as const;
type Thing = (typeof THINGS)[number];

/** `pmvx new workload|policy|experiment NAME`: a definition that passes its contract at once, and what to fill in. */
export async function newCommand(
  args: NewArgs,
  context: Pick<CommandContext, 'root' | 'write'>,
): Promise<ExitCode> {
  const thing = thingOf(args);
  const files = filesOf(thing, args);
  const place = thing === 'experiment' ? (files[0] as NewFile).path : dirname((files[0] as NewFile).path);
  if (existsSync(join(context.root, place))) {
    throw new PmvxError(ExitCode.usage, {
      where: place,
      what: 'it is there already',
      next: 'Choose another name',
    });
  }
  await writeAll(context.root, place, files);
  for (const { path } of files) context.write(path);
  context.write('');
  context.write(`Fill in what is marked TODO, then: ./pmvx ${nextStep(thing, args.name, place)}`);
  return ExitCode.ok;
}

function thingOf({ what }: NewArgs): Thing {
  const thing = THINGS.find((each) => each === what);
  if (thing !== undefined) return thing;
  throw new PmvxError(ExitCode.usage, {
    what: `nothing new is called ${JSON.stringify(what)}`,
    next: didYouMean(what, THINGS),
  });
}

function filesOf(thing: Thing, { name, kind }: NewArgs): NewFile[] {
  if (!NAME_PATTERN.test(name)) {
    throw new PmvxError(ExitCode.usage, {
      where: JSON.stringify(name),
      what: 'a name is of lower-case letters, digits, dots, dashes and underscores',
      next: 'Choose another name',
    });
  }
  if (thing !== 'policy' && kind !== undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: '--kind',
      what: 'only policies have one',
      next: 'Leave it out',
    });
  }
  if (thing === 'workload') return workloadFiles(name);
  if (thing === 'experiment') return experimentFiles(name);
  return policyFiles(name, kindOf(name, kind));
}

function kindOf(name: string, text: string | undefined): PolicyKind {
  const kind = POLICY_KINDS.find((each) => each === text);
  if (kind === undefined) {
    const what = text === undefined ? 'a policy needs a kind' : `there is no kind ${JSON.stringify(text)}`;
    throw new PmvxError(ExitCode.usage, { where: '--kind', what, next: `One of ${POLICY_KINDS.join(', ')}` });
  }
  if (kind === 'process' && !/^scx_[a-z0-9]+$/.test(name)) {
    throw new PmvxError(ExitCode.usage, {
      where: JSON.stringify(name),
      what: "a scheduler of cargo's registry goes by the name of its package",
      next: 'Name it scx_ and small letters or digits, or use --kind struct_ops for one of your own',
    });
  }
  return kind;
}

/** Written aside, then moved into place at once: a failure leaves nothing. */
async function writeAll(root: string, place: string, files: readonly NewFile[]): Promise<void> {
  const parent = join(root, dirname(place));
  const aside = await mkdtemp(join(parent, '.new-'));
  try {
    for (const { path, text, executable } of files) {
      const to = join(aside, path.slice(dirname(place).length + 1));
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, text, { flag: 'wx' });
      if (executable) await chmod(to, 0o755);
    }
    await rename(join(aside, place.slice(dirname(place).length + 1)), join(root, place));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function nextStep(thing: Thing, name: string, place: string): string {
  return thing === 'experiment' ? `validate ${place}` : `lint ${name}`;
}
