// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Machine } from '../core/spec.ts';
import { IMAGE_FILES } from './image-files.ts';
import { MAILBOX_BYTES } from './mailbox.ts';

/** How a machine's vCPUs are run. */
export type Accelerator = 'exact' | 'tcg' | 'kvm';

export interface MachineFiles {
  readonly image: string;
  readonly rootMiB: number;
  readonly mailbox: string;
  readonly data: string;
  readonly console: string;
  /** Where the slice plugin writes the block hash; `exact` only. */
  readonly hash?: string;
}

/**
 * One machine, in QEMU's words. Nothing in it may ask the host while it runs: no network, no block device, no input, a
 * fixed processor and date.
 */
export function qemuArguments(
  accelerator: Accelerator,
  machine: Machine,
  seed: number,
  files: MachineFiles,
): readonly string[] {
  const { sockets, cores, threads } = machine.topology;
  const exact = accelerator === 'exact';
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'pc,hpet=off,i8042=off,usb=off,vmport=off'],
    ...['-cpu', accelerator === 'kvm' ? 'host' : CPU],
    ...['-smp', `${machine.vcpus},sockets=${sockets},cores=${cores},threads=${threads}`],
    ...['-m', `${machine.memoryMiB}M,slots=4,maxmem=${machine.memoryMiB + files.rootMiB + 4096}M`],
    ...['-seed', String(seed)],
    ...acceleration(accelerator, machine, files),
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
  ];
}

/** Fixed, with what compilers and sched_ext's BPF code use; plain SSE2 keeps the emulator fast. */
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,+x2apic,+fsgsbase,+rdtscp';

function acceleration(accelerator: Accelerator, machine: Machine, files: MachineFiles): string[] {
  if (accelerator === 'kvm') return ['-accel', 'kvm'];
  if (accelerator === 'tcg') return ['-accel', 'tcg,thread=multi'];
  const shift = icountShift(machine);
  const plugin = join(files.image, IMAGE_FILES.plugin);
  const hash = files.hash === undefined ? '' : `,hash=${files.hash}`;
  return [
    ...['-accel', 'tcg,thread=single'],
    ...['-icount', `shift=${shift},sleep=off,align=off`],
    ...['-rtc', 'base=2026-01-01T00:00:00,clock=vm'],
    ...['-plugin', `${value(plugin)},quantum=${machine.quantum},shift=${shift}${hash}`],
  ];
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
