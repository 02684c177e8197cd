// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const text = z.string().min(1).max(2000);

const words = { summary: text, suits: text, weakness: text, source: text };
const opsName = z.string().regex(/^[A-Za-z0-9_.-]{1,127}$/);

/** The kernel's own scheduler: nothing to activate, and no sched_ext scheduler may be enabled. */
const BuiltinPolicy = z.strictObject({
  kind: z.literal('builtin'),
  ...words,
  /** The run itself switches schedulers: proven is that it begins and ends under the kernel's own. */
  switches: z.literal(true).optional(),
});

/** A scheduler that a process loads and holds. It counts as active only when the kernel names it. */
const ProcessPolicy = z.strictObject({
  kind: z.literal('process'),
  ...words,
  /** Program path in the guest, then its arguments. No shell is involved. */
  argv: z.array(z.string().min(1)).min(1),
  /** What `/sys/kernel/sched_ext/root/ops` must say: the proof of attachment. Rust schedulers add version and target, so a prefix is enough for them: `prefix_*`. */
  ops: z.string().regex(/^[A-Za-z0-9_.-]{1,126}\*?$/),
  /** A package of cargo's registry that holds the program, pinned: `scx_bpfland@1.0.20`. Absent: it comes from the kernel's source. */
  crate: z
    .string()
    .regex(/^[a-z0-9_-]+@\d+\.\d+\.\d+$/)
    .optional(),
});

/** A scheduler of our own, `<id>.bpf.c` in the policy's folder, that our loader attaches and holds. */
const StructOpsPolicy = z.strictObject({
  kind: z.literal('struct_ops'),
  ...words,
  ops: opsName,
  /** Values of the program's `const volatile` globals, set before it is loaded. */
  constants: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), z.int().min(0)).default({}),
});

/** Settings of the kernel, under its own scheduler. Written, read back, and restored. */
const KnobPolicy = z.strictObject({
  kind: z.literal('knob'),
  ...words,
  /** Which part of the kernel it is about. */
  subsystem: z.enum(['sched', 'memory', 'io', 'network']),
  /** Kernel modules that must be there first, with their options. */
  modules: z.array(z.string().regex(/^[a-z0-9_]+( [a-z0-9_]+=[\w,.-]+)*$/)).default([]),
  settings: z
    .array(
      z.strictObject({
        /** A file below /proc/sys, /sys/kernel, /sys/block, /sys/module. */
        path: z.string().regex(/^\/(proc\/sys|sys\/(kernel|block|module))\/(?!.*\.\.)[\w./-]+$/),
        value: z.string().min(1).max(256),
        /** What reading it back must give, where that is not `value`. Of a list with one choice in brackets, the choice is read. */
        reads: z.string().min(1).max(256).optional(),
      }),
    )
    .min(1)
    .max(16),
});

/** The contents of `bpf/policies/<id>/policy.yaml`; the folder's name is the policy's id. */
export const PolicySchema = z.discriminatedUnion('kind', [
  BuiltinPolicy,
  ProcessPolicy,
  StructOpsPolicy,
  KnobPolicy,
]);

export type PolicyDefinition = z.infer<typeof PolicySchema>;

export interface Policy {
  readonly id: string;
  readonly definition: PolicyDefinition;
}
