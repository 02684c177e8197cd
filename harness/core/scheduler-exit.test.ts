// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { exitKind, kernelExits } from './scheduler-exit.ts';

test('a departure is read from the kernel log with or without the scheduler as prefix', (t) => {
  const log = [
    '<6>[    5.000000] sched_ext: BPF scheduler "simple" enabled',
    '<3>[    9.123456] sched_ext: simple: BPF scheduler "simple" disabled (runnable task stall)',
    '<3>[    9.123460] sched_ext: simple: spin[41] failed to run for 31.2s',
    '<4>[    9.123470]    check_rq_for_timeouts+0xdf/0x120',
    '<6>[    9.2] virtio_pmem: something else',
    '[   10.0] sched_ext: BPF scheduler "qmap" disabled (unregistered from user space)',
  ].join('\n');
  const exits = kernelExits(log);
  t.deepEqual(
    exits.map(({ ops, kind, reason }) => [ops, kind, reason]),
    [
      ['simple', 1026, 'runnable task stall'],
      ['qmap', 64, 'unregistered from user space'],
    ],
  );
  t.is(exits[0]?.words.split('\n').length, 3);
  t.regex(exits[0]?.words ?? '', /check_rq_for_timeouts/);
});

test('a departure is read from the records of /dev/kmsg', (t) => {
  const log = [
    '6,512,5000000,-;sched_ext: BPF scheduler "central" enabled',
    '3,513,9000000,-;sched_ext: BPF scheduler "central" disabled (runtime error)',
    '3,514,9000010,-;sched_ext: central: SCX_DSQ_LOCAL[_ON] target CPU 1 not allowed for kworker/1:2[44]',
    '4,515,9000020,-;   scx_exit+0x6a/0x90',
    '6,516,9000030,-;random: crng reseeded',
  ].join('\n');
  const [exit] = kernelExits(log);
  t.like(exit, { ops: 'central', kind: 1024, reason: 'runtime error' });
  t.is(exit?.words.split('\n').at(-1), '4,515,9000020,-;   scx_exit+0x6a/0x90');
});

test('words that are not in the table have no kind', (t) => {
  t.is(exitKind('disabled by sysrq-S'), 67);
  t.is(exitKind('toString'), undefined);
  const [exit] = kernelExits('sched_ext: BPF scheduler "x" disabled (a new reason (with brackets))');
  t.deepEqual([exit?.reason, exit?.kind], ['a new reason (with brackets)', undefined]);
});

test('a log without departures has none', (t) => {
  t.deepEqual(kernelExits(''), []);
  t.deepEqual(kernelExits('sched_ext: BPF scheduler "simple" enabled\n'), []);
});
