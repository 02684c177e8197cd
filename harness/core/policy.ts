// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const text = z.string().min(1).max(2000);

/** The kernel's own scheduler: nothing to activate, and no sched_ext scheduler may be enabled. */
const BuiltinPolicy = z.strictObject({
  kind: z.literal('builtin'),
  summary: text,
  suits: text,
  weakness: text,
  source: text,
});

/** A scheduler that a process loads and holds. It counts as active only when the kernel names it. */
const ProcessPolicy = z.strictObject({
  kind: z.literal('process'),
  summary: text,
  suits: text,
  weakness: text,
  source: text,
  /** Program path in the guest, then its arguments. No shell is involved. */
  argv: z.array(z.string().min(1)).min(1),
  /** What `/sys/kernel/sched_ext/root/ops` must say: the proof of attachment. */
  ops: z.string().regex(/^[A-Za-z0-9_.-]{1,127}$/),
});

/** The contents of `bpf/policies/<id>/policy.yaml`; the folder's name is the policy's id. */
export const PolicySchema = z.discriminatedUnion('kind', [BuiltinPolicy, ProcessPolicy]);

export type PolicyDefinition = z.infer<typeof PolicySchema>;

export interface Policy {
  readonly id: string;
  readonly definition: PolicyDefinition;
}
