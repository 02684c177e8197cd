// SPDX-License-Identifier: Apache-2.0
import type { Trace } from './trace.ts';

/** Two tasks with every kind of operation. */
export const SAMPLE_TRACE: Trace = {
  origin: { kernel: '7.3.4', cpus: 4, command: ['/usr/bin/two', '--words'], engine: 'exact', seed: 7 },
  figures: {
    durationNs: 5000,
    switches: 4,
    preemptions: 1,
    interruptions: 0,
    runNs: 900,
    runnableNs: 30,
    lost: 0,
  },
  tasks: [
    {
      name: 'first task/1',
      operations: [
        { do: 'class', class: 'fifo', level: 20 },
        { do: 'cpus', mask: 10 },
        { do: 'run', ns: 300 },
        { do: 'start', task: 1 },
        { do: 'wake', task: 1 },
        { do: 'wake', task: 1 },
        { do: 'sleep', ns: 17 },
        { do: 'period', ns: 1000 },
        { do: 'share', work: 3 },
        { do: 'run', ns: 40 },
        { do: 'waitEnd', task: 1 },
        { do: 'afterEnd', task: 1 },
      ],
    },
    {
      name: '',
      operations: [
        { do: 'class', class: 'other', level: -5 },
        { do: 'wait', task: 0 },
        { do: 'wait', task: 0, sync: true },
        { do: 'run', ns: 600 },
      ],
    },
  ],
};
