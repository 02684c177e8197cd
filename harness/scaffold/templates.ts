// SPDX-License-Identifier: Apache-2.0

/** A file of a new definition, relative to the project's root. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly executable?: boolean;
}

export const POLICY_KINDS = ['process', 'struct_ops', 'knob'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

/** A workload that runs as it is: a script that hashes data made from the seed. */
export function workloadFiles(name: string): NewFile[] {
  const folder = `workloads/${name}`;
  return [
    { path: `${folder}/workload.yaml`, text: workloadYaml(name) },
    { path: `${folder}/guest/run.sh`, text: RUN_SH, executable: true },
    { path: `${folder}/samples/default.txt`, text: 'digest 8c8cbb1099f4116a\ntime 0.065033 s\n' },
    { path: `${folder}/samples/default.json`, text: '{\n  "time": 0.065033\n}\n' },
    { path: `${folder}/samples/bad-no-time.txt`, text: 'digest 8c8cbb1099f4116a\n' },
    {
      path: `${folder}/samples/bad-no-time.json`,
      text: `${JSON.stringify({ reason: 'metric time is missing; nearest line: "digest 8c8cbb1099f4116a"' }, null, 2)}\n`,
    },
  ];
}

function workloadYaml(name: string): string {
  return `# SPDX-License-Identifier: Apache-2.0
summary: TODO what it does, and what about it the kernel decides.
# ipc, pipeline, network, cpu, memory, io or mixed
class: cpu
# Where the program comes from; "driver" for ${name}.c in this folder.
# workloads/driver.h has what such drivers share.
source: coreutils
# Debian packages that the guest needs for it.
packages: []
params:
  rounds: { type: int, min: 1, max: 100000, default: 20, about: TODO what it is and its unit. }
seed: TODO how the seed changes the run. Here it is the beginning of the data that is hashed.
argv: [/bin/sh, /opt/pmvx/files/${name}/run.sh, "\${seed}", "\${rounds}"]
metrics:
  time:
    unit: s
    direction: lower
    primary: true
    pattern: '^time (\\S+) s$'
    about: TODO from when to when.
# Longest time of a run; expected time on each engine, in guest seconds.
deadline_s: 60
takes_s: { exact: 0.5, kvm: 0.1 }
# work: it ends when a fixed amount of work is done. time: its length is set, and is never a score.
ends: work
`;
}

const RUN_SH = `#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED ROUNDS: hashes its own hash again and again.
set -eu
begin=$(date +%s.%N)
hash=$1
for _ in $(seq "$2"); do
	# The last of a pipeline is the one whose failure a shell tells.
	hash=$(printf '%s' "$hash" | sha256sum)
done
end=$(date +%s.%N)
printf 'digest %.16s\\n' "$hash"
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "time %.6f s\\n", end - begin }'
`;

const WORDS = `summary: TODO what it decides, and how.
suits: TODO what it is good for.
weakness: TODO where it loses.
`;

/** A policy of a kind. One of kind \`process\` is named after its package in cargo's registry. */
export function policyFiles(name: string, kind: PolicyKind): NewFile[] {
  const folder = `bpf/policies/${name}`;
  const head = `# SPDX-License-Identifier: GPL-2.0-only\nkind: ${kind}\n${WORDS}`;
  if (kind === 'process') {
    const text = `${head}source: the crate ${name}
# A version that cargo's registry has: the image full builds it.
crate: ${name}@1.0.0
argv: [/opt/pmvx/sched/${name}]
# What /sys/kernel/sched_ext/root/ops says when it is active; schedulers of the registry add version and target to their name.
ops: "${name.replace(/^scx_/, '')}_*"
`;
    return [{ path: `${folder}/policy.yaml`, text }];
  }
  if (kind === 'knob') {
    const text = `${head}source: TODO which file of the kernel it is about
subsystem: sched
settings:
  - path: /sys/kernel/debug/sched/base_slice_ns
    value: "2000000"
`;
    return [{ path: `${folder}/policy.yaml`, text }];
  }
  const text = `${head}source: ${name}.bpf.c in this folder
ops: "${name.replaceAll('-', '_')}"
# Values of its "const volatile" globals.
constants: { slice_ns: 5000000 }
`;
  return [
    { path: `${folder}/policy.yaml`, text },
    { path: `${folder}/${name}.bpf.c`, text: scheduler(name.replaceAll('-', '_')) },
  ];
}

function scheduler(ops: string): string {
  return `// SPDX-License-Identifier: GPL-2.0-only
/*
 * ${ops}: TODO what it does, what it is good for, and where it loses.
 *
 * As it is: one queue for all CPUs, first in, first out.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 5000000;

#define QUEUE 0

UEI_DEFINE(uei);

s32 BPF_STRUCT_OPS(own_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(own_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, QUEUE, slice_ns, enq_flags);
}

void BPF_STRUCT_OPS(own_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(own_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(own_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(own_ops,
	       .select_cpu = (void *)own_select_cpu,
	       .enqueue = (void *)own_enqueue,
	       .dispatch = (void *)own_dispatch,
	       .init = (void *)own_init,
	       .exit = (void *)own_exit,
	       .name = "${ops}");
`;
}

export function experimentFiles(name: string): NewFile[] {
  const text = `# SPDX-License-Identifier: Apache-2.0
# yaml-language-server: $schema=./spec.schema.json
# TODO what you want to know.
name: "${name}"
image: quick
policies: [eevdf, scx_simple]
workloads:
  - use: hackbench
machine: { engine: exact, vcpus: 4, memory: 1GiB }
seeds: { base: 1, count: 5 }
baseline: eevdf
`;
  return [{ path: `harness/experiments/${name}.yaml`, text }];
}
