// SPDX-License-Identifier: Apache-2.0

/** Something that keeps a machine busy in one way, in two lengths: what differs between them is that load and nothing else. */
export interface Load {
  readonly name: string;
  readonly about: string;
  /** The command for a machine of so many vCPUs. */
  command(vcpus: number, length: 'short' | 'long'): readonly string[];
}

/** Where one length is short, the other takes about so much longer, in guest seconds: see each. */
export const LOADS: readonly Load[] = [
  {
    name: 'idle',
    about: 'nothing runs; 10 s',
    command: (_, length) => ['/bin/sleep', length === 'short' ? '1' : '11'],
  },
  {
    name: 'spin',
    about: 'as many spinners as vCPUs; 1 s',
    command: (vcpus, length) => spinners(vcpus, length === 'short' ? 100 / vcpus : 1100 / vcpus),
  },
  {
    name: 'spin 2x',
    about: 'two spinners a vCPU; 1 s',
    command: (vcpus, length) => spinners(2 * vcpus, length === 'short' ? 50 / vcpus : 550 / vcpus),
  },
  {
    name: 'messages',
    about: 'hackbench, pipes, 2 groups; about 0.5 s',
    command: (_, length) => ['/usr/bin/hackbench', '-p', '-g', '2', '-l', length === 'short' ? '10' : '140'],
  },
  {
    name: 'pipe',
    about: 'perf bench sched pipe; about 0.5 s',
    command: (vcpus, length) => {
      const loops = length === 'short' ? 500 : 500 + Math.round(50_000 / vcpus);
      return ['/usr/bin/perf', 'bench', 'sched', 'pipe', `--loop=${loops}`];
    },
  },
];

/** A unit is a million instructions; all vCPUs together execute a thousand million a second. */
function spinners(tasks: number, units: number): readonly string[] {
  const whole = String(Math.max(1, Math.round(units)));
  return ['/opt/pmvx/work/spinners', '--tasks', String(tasks), '--units', whole, '--seed', '1'];
}
