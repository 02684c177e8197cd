// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Machine } from '../core/spec.ts';
import type { Ready } from './engine.ts';
import { IMAGE_FILES } from './image-files.ts';
import { MONITOR_FD } from './machine-process.ts';
import { MAILBOX_BYTES } from './mailbox.ts';

/** How a machine's vCPUs are run. */
export type Accelerator = 'exact' | 'tcg' | 'kvm';

export interface MachineFiles {
  readonly image: string;
  readonly rootMiB: number;
  readonly mailbox: string;
  readonly data: string;
  readonly console: string;
  /** Guest memory, one file for each NUMA node; memory without a file when absent. */
  readonly memory?: {
    readonly paths: readonly string[];
    /** `shared`: what the guest writes is in the files. `private`: a fork's writes are its own. */
    readonly mapped: 'shared' | 'private';
  };
}

/** What a process of QEMU is started for, besides running the machine. */
export interface MachineUse {
  /** The slice plugin stops the machine at its first fork mark; `exact` only. */
  readonly stopAtFork?: boolean;
  /** The machine's state comes from a snapshot, through the monitor. */
  readonly restored?: boolean;
  /** The monitor is on file descriptor `MONITOR_FD`. */
  readonly monitor?: boolean;
  /** As on a host whose processor has nothing above SSE2, to try that nothing depends on it; `exact` only. */
  readonly plainHost?: boolean;
  /** Files for the slice plugin, `exact` only: block hash, context switches. */
  readonly hash?: string;
  readonly switches?: { readonly path: string; readonly symbols: Required<Ready> };
}

/**
 * One machine, in QEMU's words. Nothing in it may ask the host while it runs: no network, no block device, no input, a
 * fixed processor and date. Neither trial nor seed is in it: they come by the mailbox, so that one snapshot serves all.
 */
export function qemuArguments(
  accelerator: Accelerator,
  machine: Machine,
  files: MachineFiles,
  use: MachineUse = {},
): readonly string[] {
  const { sockets, cores, threads } = machine.topology;
  const exact = accelerator === 'exact';
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...[
      '-machine',
      `pc,hpet=off,i8042=off,usb=off,vmport=off${machine.topology.nodes === 1 ? ',memory-backend=ram0' : ''}`,
    ],
    ...['-cpu', accelerator === 'kvm' ? 'host' : CPU],
    ...['-smp', `${machine.vcpus},sockets=${sockets},cores=${cores},threads=${threads}`],
    ...['-m', `${machine.memoryMiB}M,slots=4,maxmem=${machine.memoryMiB + files.rootMiB + 4096}M`],
    ...memory(machine, files),
    ...['-seed', '1'],
    ...acceleration(accelerator, machine, files, use),
    ...['-kernel', join(files.image, IMAGE_FILES.kernel)],
    ...['-initrd', join(files.image, IMAGE_FILES.initrd)],
    ...['-append', kernelCommandLine(exact)],
    // Persistent memory instead of disks: no request is ever in flight, and the root is mapped, not copied (DAX).
    ...memoryDevice('root', join(files.image, IMAGE_FILES.root), files.rootMiB * 2 ** 20, true),
    ...memoryDevice('mail', files.mailbox, MAILBOX_BYTES, false),
    // Without ioeventfd the vCPU's own thread writes the data out before it goes on.
    ...['-device', 'virtio-serial-pci,ioeventfd=off,max_ports=2'],
    ...['-chardev', `file,id=data,path=${files.data}`],
    ...['-device', 'virtserialport,chardev=data,nr=1,name=pmvx'],
    ...['-chardev', `file,id=console,path=${files.console}`],
    ...['-serial', 'chardev:console'],
    ...(use.monitor
      ? ['-chardev', `socket,id=monitor,fd=${MONITOR_FD}`, '-mon', 'chardev=monitor,mode=control']
      : []),
    ...(use.restored ? ['-incoming', 'defer'] : []),
  ];
}

/**
 * Fixed, with what compilers and sched_ext's BPF code use; plain SSE2 keeps the emulator fast. No rdrand: its values come from QEMU
 * itself, and would begin anew after a restore.
 */
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+x2apic,+fsgsbase,+rdtscp';

/**
 * Room for translated code; a machine takes what it needs of it. A boot that loads nine schedulers needs about 200 MiB. On `exact` a
 * machine that needs more ends with an error: QEMU would cut off a turn to start anew (`plugin/slice.c`).
 */
export const TRANSLATED_MIB = 1024;

function acceleration(
  accelerator: Accelerator,
  machine: Machine,
  files: MachineFiles,
  use: MachineUse,
): string[] {
  if (accelerator === 'kvm') return ['-accel', 'kvm'];
  if (accelerator === 'tcg') return ['-accel', `tcg,thread=multi,tb-size=${TRANSLATED_MIB}`];
  const shift = icountShift(machine);
  const { symbols, path } = use.switches ?? {};
  const options = [
    value(join(files.image, IMAGE_FILES.plugin)),
    `quantum=${machine.quantum}`,
    `shift=${shift}`,
    ...(use.stopAtFork ? ['stop=on'] : []),
    ...(use.plainHost ? ['host=plain'] : []),
    ...(use.hash === undefined ? [] : [`hash=${use.hash}`]),
    ...(symbols === undefined
      ? []
      : [
          `switches=${path}`,
          `switch=${symbols.switchTo}`,
          `pid=${symbols.pidOffset}`,
          `comm=${symbols.commOffset}`,
        ]),
  ];
  return [
    ...['-accel', `tcg,thread=single,tb-size=${TRANSLATED_MIB}`],
    ...['-icount', `shift=${shift},sleep=off,align=off`],
    ...['-rtc', 'base=2026-01-01T00:00:00,clock=vm'],
    ...['-plugin', options.join(',')],
  ];
}

/** Guest memory, by NUMA node: equal parts of memory and of the vCPUs, in order. */
function memory({ memoryMiB, vcpus, topology: { nodes } }: Machine, files: MachineFiles): string[] {
  const perNode = vcpus / nodes;
  return Array.from({ length: nodes }, (_, node) => [
    ...['-object', backend(`ram${node}`, memoryMiB / nodes, files.memory?.paths[node], files.memory?.mapped)],
    ...(nodes === 1
      ? []
      : [
          '-numa',
          `node,nodeid=${node},cpus=${node * perNode}-${(node + 1) * perNode - 1},memdev=ram${node}`,
        ]),
  ]).flat();
}

function backend(id: string, mib: number, path?: string, mapped?: 'shared' | 'private'): string {
  if (path === undefined) return `memory-backend-ram,id=${id},size=${mib}M`;
  // A fork's memory is its own from the first write on; the file is opened for reading.
  const mode = mapped === 'shared' ? 'share=on' : 'share=off,readonly=on,rom=off';
  return `memory-backend-file,id=${id},mem-path=${value(path)},${mode},size=${mib}M`;
}

/** QEMU's `shift`: an instruction lasts 2^shift ns, so all vCPUs together run 1000 / 2^shift MIPS. */
export function icountShift(machine: Machine): number {
  return Math.round(Math.log2(1000 / (machine.vcpus * machine.speed)));
}

/** A path as the value of an option: QEMU reads two commas as one. */
function value(path: string): string {
  return path.replaceAll(',', ',,');
}

function memoryDevice(id: string, path: string, bytes: number, readonly: boolean): string[] {
  const mode = readonly ? ',readonly=on' : '';
  return [
    ...[
      '-object',
      `memory-backend-file,id=${id},mem-path=${value(path)},share=on${mode},size=${bytes},align=2M`,
    ],
    ...['-device', `virtio-pmem-pci,memdev=${id}`],
  ];
}

/** Quiet, at a fixed address, without self-tests of cryptography; PMVX_IDLE tells the agent to load the idle module. */
function kernelCommandLine(exact: boolean): string {
  const fixed =
    'console=ttyS0 loglevel=4 panic=-1 nokaslr mitigations=off nowatchdog nmi_watchdog=0 random.trust_cpu=on ' +
    'cryptomgr.notests 8250.nr_uarts=1';
  return exact ? `${fixed} tsc=reliable no_timer_check PMVX_IDLE=1` : fixed;
}
