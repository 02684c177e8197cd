// SPDX-License-Identifier: Apache-2.0

/** One component: what it is, what it does, and where it is in this project. */
export interface Box {
  readonly id: string;
  readonly title: string;
  readonly does: string;
  /** Folder or file of the project. */
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly width?: number;
}

/** `from` gives something to `to`; corners in between where the way is not straight. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  /** Sides at which it leaves and arrives; right to left unless said otherwise. */
  readonly sides?: readonly [Side, Side];
}
export type Side = 'left' | 'right' | 'top' | 'bottom';

/** A phase of the method, behind its boxes. */
export interface Band {
  readonly title: string;
  readonly says: string;
  readonly y: number;
  readonly height: number;
  readonly colour: string;
}

export interface Architecture {
  readonly bands: readonly Band[];
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export const BOX = { width: 172, height: 70 } as const;
const [A, B, C, D, E, F] = [24, 222, 420, 618, 816, 1014] as const;

/** pMVX as it is built: every box is a folder or a file that exists, which a test holds. */
export const ARCHITECTURE: Architecture = {
  bands: [
    {
      title: 'Evaluate',
      says: 'the same work under every policy, in isolated machines',
      y: 44,
      height: 226,
      colour: '#EAF2F8',
    },
    {
      title: 'Distil',
      says: 'what is shown, and for which kind of work',
      y: 282,
      height: 224,
      colour: '#FBF3E4',
    },
    { title: 'Adapt', says: 'on a production host, within guards', y: 518, height: 120, colour: '#EAF5EF' },
  ],
  boxes: [
    {
      id: 'spec',
      title: 'Experiment',
      does: 'one YAML, every fault named',
      path: 'harness/spec',
      x: A,
      y: 82,
    },
    { id: 'plan', title: 'Plan', does: 'seeded blocks, random order', path: 'harness/plan', x: B, y: 82 },
    { id: 'run', title: 'Controller', does: 'start, checkpoint, resume', path: 'harness/run', x: C, y: 82 },
    { id: 'lab', title: 'Lab', does: 'one machine, frozen, forked', path: 'harness/lab', x: D, y: 82 },
    {
      id: 'guest',
      title: 'Guest, one a policy',
      does: 'runs; proof from its kernel',
      path: 'bpf/guest',
      x: E,
      y: 82,
    },
    { id: 'store', title: 'Evidence', does: 'a record for every trial', path: 'harness/store', x: F, y: 82 },
    {
      id: 'whatif',
      title: 'What if, diverge',
      does: 'several futures of one state',
      path: 'harness/whatif',
      x: C,
      y: 186,
    },
    {
      id: 'images',
      title: 'Images',
      does: 'kernel, QEMU, packages, locked',
      path: 'vm-images',
      x: D,
      y: 186,
    },
    {
      id: 'policies',
      title: 'Policies',
      does: 'sched_ext, settings, built-in',
      path: 'bpf/policies',
      x: E,
      y: 186,
    },
    {
      id: 'workloads',
      title: 'Workloads',
      does: 'seeded, with their metrics',
      path: 'workloads',
      x: F,
      y: 186,
    },
    {
      id: 'paper',
      title: 'Figures, reports',
      does: 'each with its n and interval',
      path: 'paper-figs',
      x: D,
      y: 320,
    },
    {
      id: 'tables',
      title: 'Tables',
      does: 'verdicts, failures, noise floor',
      path: 'analysis/tables',
      x: E,
      y: 320,
    },
    {
      id: 'stats',
      title: 'Statistics',
      does: 'paired by block, corrected',
      path: 'analysis/stats',
      x: F,
      y: 320,
    },
    {
      id: 'map',
      title: 'Policy map',
      does: 'vectors, outcomes, policies',
      path: 'analysis/policy-map',
      x: C,
      y: 422,
    },
    {
      id: 'selection',
      title: 'Held-out check',
      does: 'choices on unseen blocks',
      path: 'analysis/selection',
      x: B,
      y: 422,
    },
    {
      id: 'features',
      title: 'Workload vectors',
      does: 'normalised, compared by cosine',
      path: 'analysis/features',
      x: D,
      y: 422,
    },
    { id: 'probes', title: 'Probes', does: 'CPU, memory, I/O, network', path: 'bpf/probes', x: E, y: 422 },
    {
      id: 'recorder',
      title: 'Recorder',
      does: 'real work, to be played again',
      path: 'bpf/recorder',
      x: A,
      y: 186,
    },
    {
      id: 'runtime',
      title: 'Runtime',
      does: 'sense, select, guard, actuate',
      path: 'harness/runtime',
      x: C,
      y: 554,
    },
    { id: 'napi', title: 'ebpf-napi', does: 'probes and links from Node', path: 'bpf/napi', x: D, y: 554 },
  ],
  arrows: [
    { from: 'spec', to: 'plan' },
    { from: 'plan', to: 'run' },
    { from: 'run', to: 'lab' },
    { from: 'lab', to: 'guest' },
    { from: 'guest', to: 'store' },
    { from: 'images', to: 'lab', sides: ['top', 'bottom'] },
    { from: 'policies', to: 'guest', sides: ['top', 'bottom'] },
    { from: 'workloads', to: 'guest', sides: ['top', 'bottom'] },
    { from: 'recorder', to: 'spec', sides: ['top', 'bottom'] },
    { from: 'whatif', to: 'lab', sides: ['right', 'left'] },
    { from: 'store', to: 'stats', sides: ['right', 'right'] },
    { from: 'stats', to: 'tables', sides: ['left', 'right'] },
    { from: 'tables', to: 'paper', sides: ['left', 'right'] },
    { from: 'tables', to: 'map', sides: ['bottom', 'top'], label: 'outcomes' },
    { from: 'probes', to: 'features', sides: ['left', 'right'] },
    { from: 'features', to: 'map', sides: ['left', 'right'] },
    { from: 'map', to: 'selection', sides: ['left', 'right'] },
    { from: 'map', to: 'runtime', sides: ['bottom', 'top'] },
    { from: 'napi', to: 'runtime', sides: ['left', 'right'] },
  ],
};

/** The part of it whose paths exist, with the arrows between what is left; bands without a box are left out. */
export function existing(
  { bands, boxes, arrows }: Architecture,
  exists: (path: string) => boolean,
): Architecture {
  const there = boxes.filter(({ path }) => exists(path));
  const ids = new Set(there.map(({ id }) => id));
  return {
    boxes: there,
    arrows: arrows.filter(({ from, to }) => ids.has(from) && ids.has(to)),
    bands: bands.filter(({ y, height }) => there.some((box) => box.y > y && box.y < y + height)),
  };
}
