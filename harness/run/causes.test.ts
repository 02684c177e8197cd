// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { kernelWarnings } from './kernel-warnings.ts';
import { loaderCause } from './loader-words.ts';

for (const [what, log, cause] of [
  [
    'its place first, for a fault that scx reports',
    'libbpf: loading object\n[SCX_BUG] scx_qmap.c:410 (Permission denied)\nFailed to load skel\n',
    'scx_qmap.c:410: Failed to load skel (Permission denied)',
  ],
  [
    'a wrong option, of getopt',
    "/opt/pmvx/sched/scx_simple: invalid option -- 'z'\nA simple sched_ext scheduler.\n\nUsage: scx_simple [-f] [-v]\n\n  -f  FIFO\n  -h  Display this help and exit\n",
    "/opt/pmvx/sched/scx_simple: invalid option -- 'z'",
  ],
  [
    'a wrong option, of clap, without its colours',
    "\u001b[1m\u001b[31merror:\u001b[0m unexpected argument '--foo' found\n\nUsage: scx_lavd [OPTIONS]\n\nFor more information, try '--help'.\n",
    "unexpected argument '--foo' found",
  ],
  [
    'a panic of Rust, its place first',
    "12:00:01 [INFO] starting\nthread 'main' panicked at src/main.rs:120:9:\nno CPUs\nnote: run with RUST_BACKTRACE=1\n",
    'src/main.rs:120: no CPUs',
  ],
  [
    'an error of anyhow',
    'Error: Failed to open topology\n\nCaused by:\n    no such file\n',
    'Failed to open topology',
  ],
  [
    "libbpf's first failure",
    "libbpf: map 'x': failed to create: -ENOMEM\nlibbpf: failed to load object 'y'\nbye\n",
    "libbpf: map 'x': failed to create: -ENOMEM",
  ],
  ['else its last line', 'loading\ncannot go on\n\n', 'cannot go on'],
] as const) {
  test(`the cause in a scheduler's log is ${what}`, (t) => t.is(loaderCause(log, true), cause));
}

test('a scheduler that printed nothing names no cause', (t) => t.is(loaderCause('\n', true), undefined));

test('the last line of a scheduler that the agent ended says nothing of why', (t) => {
  t.is(loaderCause('local=0 global=1\nEXIT: unregistered from user space\n', false), undefined);
});

const KMSG = `6,1,1000000,-;Linux version 7.3.4
4,2,1500000,-;WARNING: CPU 0 has a quirk
4,900,9000000,-;python3: page allocation stall for 30 secs: order:0
 SUBSYSTEM=x
3,901,9100000,-;Out of memory: Killed process 212 (python3) total-vm:1kB
3,902,9200000,-;Out of memory: Killed process 213 (python3) total-vm:1kB
3,903,9300000,-;INFO: task dd:99 blocked for more than 120 seconds.
3,904,9400000,-;rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
6,905,9500000,-;sched_ext: BPF scheduler "simple" enabled
`;

test("the kernel's warnings are those since the machine was quiet, each kind once, in its words", (t) => {
  t.deepEqual(kernelWarnings(KMSG, 5), [
    'python3: page allocation stall for 30 secs: order:0',
    'Out of memory: Killed process 212 (python3) total-vm:1kB',
    'INFO: task dd:99 blocked for more than 120 seconds.',
    'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
  ]);
});

test('warnings are found on a console, too, and a boot is no trial', (t) => {
  const console =
    '[    1.500000] WARNING: CPU 0 has a quirk\r\n[   12.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 26s!\r\n';
  t.deepEqual(kernelWarnings(console, 5), ['watchdog: BUG: soft lockup - CPU#1 stuck for 26s!']);
  t.is(kernelWarnings(console).length, 2);
});

test('five warnings at most are kept of a kernel that warns of everything', (t) => {
  const log = [...'abcdefgh'].map((letter, at) => `4,${at},9000000,-;BUG: ${letter}\n`).join('');
  t.is(kernelWarnings(log).length, 5);
});
