// SPDX-License-Identifier: Apache-2.0

/** A program that a guest runs, by the way in which it could notice the host. */
export interface Guest {
  readonly name: string;
  readonly about: string;
  readonly command: (vcpus: number) => readonly string[];
}

const WITNESS = '/opt/pmvx/bin/witness';
const WORK = '/opt/pmvx/work';

function shell(script: string): readonly string[] {
  return ['/bin/sh', '-c', script];
}

/** All of the image `quick`, and all long enough for some dozens of pauses. */
export const GUESTS: readonly Guest[] = [
  {
    name: 'phases',
    about: 'accessed bits: large and small sets of pages in turn, cleared and read through smaps',
    command: () => [WITNESS, 'pages', '8', '6'],
  },
  {
    name: 'phases-many',
    about: 'the same in as many processes as vCPUs, and one more',
    command: (vcpus) =>
      shell(`for n in $(seq ${vcpus + 1}); do ${WITNESS} pages 3 6 > /tmp/$n & done; wait; cat /tmp/[0-9]*`),
  },
  { name: 'x87', about: 'FSIN, FCOS, FSINCOS, FPTAN', command: () => [WITNESS, 'x87', '80000'] },
  {
    name: 'time',
    about: 'every clock and the time stamp counter',
    command: () => shell(`for n in 1 2 3 4; do ${WITNESS} clock 40000; sleep 0.013; done; cat /proc/uptime`),
  },
  {
    name: 'matrix',
    about: 'one process over more pages than the first cache of addresses holds',
    command: () => [
      '/usr/bin/stress-ng',
      ...['--matrix', '1', '--matrix-method', 'copy', '--matrix-size', '512', '--matrix-ops', '300'],
      ...['--seed', '7', '--metrics-brief'],
    ],
  },
  {
    name: 'floating-point',
    about: 'SSE and x87 arithmetic of several widths',
    command: () => ['/usr/bin/stress-ng', '--fp', '1', '--fp-ops', '6', '--seed', '7', '--metrics-brief'],
  },
  {
    name: 'vm',
    about: 'memory written and checked by several methods',
    command: () => [
      '/usr/bin/stress-ng',
      ...['--vm', '2', '--vm-bytes', '16m', '--vm-ops', '200', '--seed', '7', '--metrics-brief'],
    ],
  },
  {
    name: 'hackbench',
    about: 'messages',
    command: () => ['/usr/bin/hackbench', '-p', '-g', '1', '-l', '20'],
  },
  {
    name: 'sched-pipe',
    about: 'two processes that wake each other',
    command: () => ['/usr/bin/perf', 'bench', 'sched', 'pipe', '--loop=3000'],
  },
  {
    name: 'futex',
    about: 'threads woken through futexes',
    command: () => ['/usr/bin/perf', 'bench', 'futex', 'wake', '-t', '8', '-w', '2'],
  },
  {
    name: 'page-cache',
    about: 'files read through the page cache',
    command: () => [
      `${WORK}/page-cache`,
      ...['--readers', '3', '--mib', '4', '--block-kib', '16', '--reads', '1500', '--seed', '7'],
    ],
  },
  {
    name: 'spinners',
    about: 'more busy processes than vCPUs',
    command: (vcpus) => [
      `${WORK}/spinners`,
      ...['--tasks', String(2 * vcpus), '--units', '60', '--seed', '7'],
    ],
  },
  {
    name: 'wakeup-latency',
    about: 'requests at given times, and sleep between them',
    command: () => [
      `${WORK}/wakeup-latency`,
      ...['--messengers', '1', '--workers', '2', '--requests', '200', '--think-us', '800'],
      ...['--work-kinstr', '100', '--seed', '7'],
    ],
  },
  {
    name: 'pack',
    about: 'gzip and digests in a pipeline: new programs, new code',
    command: () =>
      shell(
        'for n in 1 2 3; do head -c 400000 /usr/bin/perf | gzip -6 | gzip -d | sha256sum | sha512sum; done',
      ),
  },
  {
    name: 'unit-work',
    about: 'pinned work on every vCPU, timed to the nanosecond',
    command: (vcpus) => ['/opt/pmvx/bin/unitwork', String(vcpus), '1500'],
  },
];
