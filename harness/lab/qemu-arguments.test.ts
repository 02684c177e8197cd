// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Machine } from '../core/spec.ts';
import {
  type Accelerator,
  icountShift,
  type MachineFiles,
  type MachineUse,
  qemuArguments,
} from './qemu-arguments.ts';

const MACHINE: Machine = {
  engine: 'exact',
  vcpus: 4,
  memoryMiB: 1024,
  speed: 250,
  quantum: 5000,
  topology: { nodes: 1, sockets: 1, cores: 2, threads: 2 },
};
const FILES: MachineFiles = {
  image: '/images/quick',
  rootMiB: 640,
  mailbox: 'mailbox',
  data: 'data',
  console: 'console.log',
};

/** What follows each occurrence of an option. */
function valuesOf(option: string, args: readonly string[]): string[] {
  return args.flatMap((arg, at) => (arg === option ? [args[at + 1] as string] : []));
}

function argumentsOn(
  accelerator: Accelerator,
  files: MachineFiles = FILES,
  use: MachineUse = {},
): readonly string[] {
  return qemuArguments(accelerator, MACHINE, files, use);
}

test('exact counts instructions on one thread, with a fixed date and the slice plugin', (t) => {
  const args = argumentsOn('exact');
  t.deepEqual(valuesOf('-accel', args), ['tcg,thread=single,tb-size=1024']);
  t.deepEqual(valuesOf('-icount', args), ['shift=0,sleep=off,align=off']);
  t.deepEqual(valuesOf('-rtc', args), ['base=2026-01-01T00:00:00,clock=vm']);
  t.deepEqual(valuesOf('-plugin', args), ['/images/quick/slice.so,quantum=5000,shift=0']);
  t.regex(valuesOf('-append', args)[0] ?? '', / PMVX_IDLE=1$/);
});

test('exact asks for the block hash only when it is told where to', (t) => {
  const args = argumentsOn('exact', FILES, { hash: 'hash.json' });
  t.deepEqual(valuesOf('-plugin', args), ['/images/quick/slice.so,quantum=5000,shift=0,hash=hash.json']);
});

test('exact plays a lesser host only when it is told to', (t) => {
  const args = argumentsOn('exact', FILES, { plainHost: true });
  t.deepEqual(valuesOf('-plugin', args), ['/images/quick/slice.so,quantum=5000,shift=0,host=plain']);
});

test('tcg and kvm run in real time, without plugin and without the idle module', (t) => {
  for (const [engine, accel, cpu] of [
    ['tcg', 'tcg,thread=multi,tb-size=1024', /^qemu64,/],
    ['kvm', 'kvm', /^host$/],
  ] as const) {
    const args = argumentsOn(engine);
    t.deepEqual(valuesOf('-accel', args), [accel]);
    t.regex(valuesOf('-cpu', args)[0] ?? '', cpu);
    for (const option of ['-icount', '-rtc', '-plugin']) t.deepEqual(valuesOf(option, args), []);
    t.notRegex(valuesOf('-append', args)[0] ?? '', /PMVX_IDLE/);
  }
});

test('every engine has the same machine around its processor: no disk, no network, the same seed', (t) => {
  for (const engine of ['exact', 'tcg', 'kvm'] as const) {
    const args = argumentsOn(engine);
    t.deepEqual(valuesOf('-seed', args), ['1']);
    t.deepEqual(valuesOf('-smp', args), ['4,sockets=1,cores=2,threads=2']);
    t.deepEqual(valuesOf('-m', args), ['1024M,slots=4,maxmem=5760M']);
    t.deepEqual(valuesOf('-device', args), [
      'virtio-pmem-pci,memdev=root',
      'virtio-pmem-pci,memdev=mail',
      'virtio-serial-pci,ioeventfd=off,max_ports=2',
      'virtserialport,chardev=data,nr=1,name=pmvx',
    ]);
    for (const option of ['-drive', '-netdev', '-nic', '-net']) t.deepEqual(valuesOf(option, args), []);
    t.true(args.includes('-nodefaults') && args.includes('-no-user-config') && args.includes('-no-reboot'));
  }
});

test('the root is mapped read-only and shared; the mailbox is written by the host alone before the start', (t) => {
  t.deepEqual(valuesOf('-object', argumentsOn('exact')), [
    'memory-backend-ram,id=ram0,size=1024M',
    'memory-backend-file,id=root,mem-path=/images/quick/root.ext4,share=on,readonly=on,size=671088640,align=2M',
    'memory-backend-file,id=mail,mem-path=mailbox,share=on,size=134217728,align=2M',
  ]);
});

test('a comma in a path is doubled where QEMU would end the value, and left alone where it would not', (t) => {
  const args = argumentsOn('exact', { ...FILES, image: '/a,b/quick' });
  t.regex(valuesOf('-object', args)[1] ?? '', /,mem-path=\/a,,b\/quick\/root\.ext4,/);
  t.is(valuesOf('-plugin', args)[0], '/a,,b/quick/slice.so,quantum=5000,shift=0');
  t.is(valuesOf('-kernel', args)[0], '/a,b/quick/vmlinux');
  t.is(valuesOf('-initrd', args)[0], '/a,b/quick/initrd.cpio');
});

test('the speed of a vCPU is 1000 / 2^shift / vCPUs million instructions a second', (t) => {
  for (const vcpus of [1, 2, 3, 4, 8, 64]) {
    for (let shift = 0; shift <= 10; shift++) {
      t.is(icountShift({ ...MACHINE, vcpus, speed: 1000 / 2 ** shift / vcpus }), shift);
    }
  }
});

test('a snapshot is written to files that its forks map for themselves alone', (t) => {
  for (const [mapped, share] of [
    ['shared', 'share=on'],
    ['private', 'share=off,readonly=on,rom=off'],
  ] as const) {
    const args = argumentsOn('exact', { ...FILES, memory: { paths: ['/s,t/ram-0'], mapped } });
    t.is(
      valuesOf('-object', args)[0],
      `memory-backend-file,id=ram0,mem-path=/s,,t/ram-0,${share},size=1024M`,
    );
    t.regex(valuesOf('-machine', args)[0] ?? '', /,memory-backend=ram0$/);
  }
});

test('NUMA nodes have equal parts of the memory and neighbouring vCPUs', (t) => {
  const machine = { ...MACHINE, topology: { nodes: 2, sockets: 2, cores: 2, threads: 1 } };
  const args = qemuArguments('exact', machine, FILES);
  t.deepEqual(valuesOf('-numa', args), [
    'node,nodeid=0,cpus=0-1,memdev=ram0',
    'node,nodeid=1,cpus=2-3,memdev=ram1',
  ]);
  t.deepEqual(valuesOf('-object', args).slice(0, 2), [
    'memory-backend-ram,id=ram0,size=512M',
    'memory-backend-ram,id=ram1,size=512M',
  ]);
  t.notRegex(valuesOf('-machine', args)[0] ?? '', /memory-backend/);
});
