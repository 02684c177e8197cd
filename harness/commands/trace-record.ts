// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder, IMAGE_FILES } from '../lab/image-files.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import { convert } from '../trace/convert.ts';
import { describeTrace } from '../trace/describe.ts';
import { figuresOf } from '../trace/figures.ts';
import { hostObstacle, recordOnHost } from '../trace/record-host.ts';
import type { Trace } from '../trace/trace.ts';
import { encodeTrace } from '../trace/trace-file.ts';
import type { CommandContext } from './context.ts';
import { alignedTable } from './table.ts';
import { openTraceLab, recordInLab, traceOf } from './trace-lab.ts';
import { type TraceTarget, traceSpec } from './trace-spec.ts';

export interface TraceRecordArgs extends Omit<TraceTarget, 'target'> {
  /** A spec or a workload, run in a VM; absent when `command` is run on the host. */
  readonly target?: string;
  /** Program and arguments, on the host. */
  readonly command?: readonly string[];
  /** Where the trace goes. */
  readonly out?: string;
}

/** `pmvx trace record`: a workload in a VM, or a program on the host, becomes a trace file. */
export async function traceRecordCommand(args: TraceRecordArgs, context: CommandContext): Promise<ExitCode> {
  const out = args.out ?? defaultOut(args);
  if (existsSync(out)) {
    throw new PmvxError(ExitCode.usage, {
      where: out,
      what: 'is there already',
      next: 'Give another name with --out',
    });
  }
  const { trace, status } = args.command
    ? await onHost(args.command, args, context)
    : await inVm(args, context);
  const bytes = encodeTrace(trace);
  context.signal.throwIfAborted();
  await writeAtomic(out, bytes);
  for (const line of describeTrace(trace, alignedTable)) context.write(line);
  context.write('');
  context.write(`${out}: ${bytes.length} bytes; play it with \`use: replay\`, \`with: { trace: ${out} }\``);
  if (status !== 0) context.warn(`pmvx: the program ended with status ${status}`);
  return status === 0 ? ExitCode.ok : ExitCode.incomplete;
}

function defaultOut({ target, command }: TraceRecordArgs): string {
  const name = basename(command?.[0] ?? target ?? 'program').replace(/\.(ya?ml|json)$/, '');
  return `${name.replaceAll(/[^\w.=-]+/g, '-')}.trace`;
}

async function inVm(
  args: TraceRecordArgs,
  context: CommandContext,
): Promise<{ trace: Trace; status: number }> {
  const { spec, planned } = await traceSpec({ ...args, target: args.target ?? '' }, await context.catalog());
  if (spec.machine.engine === 'native' || spec.machine.engine === 'mock') {
    const what = `nothing can be recorded on engine ${spec.machine.engine}`;
    throw new PmvxError(ExitCode.usage, {
      what,
      next: 'Use exact, tcg or kvm, or `pmvx trace record -- PROGRAM`',
    });
  }
  const lab = await openTraceLab(spec, planned, context);
  return { trace: traceOf(await recordInLab(lab, spec, planned, context), planned, lab), status: 0 };
}

async function onHost(
  command: readonly string[],
  { image: recipe = 'quick' }: TraceRecordArgs,
  context: CommandContext,
): Promise<{ trace: Trace; status: number }> {
  const obstacle = hostObstacle();
  if (obstacle !== undefined) {
    const next = 'Record a workload in a VM instead: pmvx trace record hackbench';
    throw new PmvxError(ExitCode.environment, { where: 'trace record', what: obstacle, next });
  }
  const image = await requireImage(context.root, cacheFolder(context.env), recipe);
  const { recording, status } = await recordOnHost(
    join(image.folder, IMAGE_FILES.recorder),
    command,
    context.signal,
  );
  const tasks = convert(recording);
  const trace: Trace = {
    origin: { kernel: recording.kernel, cpus: recording.cpus, command },
    figures: figuresOf(tasks, recording.lost),
    tasks: tasks.map(({ name, operations }) => ({ name, operations })),
  };
  return { trace, status };
}
