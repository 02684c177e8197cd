// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { becomes, signal as send } from '../../processes.ts';
import { limitedMemory, memoryGroups, rmdir } from '../host.ts';
import type { RunKind } from '../run-kind.ts';

const MIB = 2 ** 20;

/** Less memory than a run needs, or hardly enough: the kernel kills what asks for more. */
export const MEMORY_KINDS: readonly RunKind[] = [
  {
    name: 'little-memory',
    about:
      'a control group with too little memory: the kernel kills the controller, or a machine, in the middle',
    weight: { mock: 6, exact: 3 },
    obstacle: limitedMemory,
    strike: async (scene, draw) => {
      // A controller takes some 100 MiB, a machine of 512 MiB some 300 to 600 besides.
      const mib = scene.engine === 'mock' ? draw.between(24, 80) : draw.between(120, 620);
      const group = makeGroup(`pmvx-selftest-${process.pid}-${draw.word()}`, mib * MIB);
      const enter = ['sh', '-c', 'echo $$ >"$0" && exec "$@"', join(group.folder, 'cgroup.procs')];
      const controller = scene.start({ prefix: enter });
      const limit = setTimeout(() => send(controller.pid, 'SIGKILL'), MOST_MS);
      const { code, signal } = await controller.ended;
      clearTimeout(limit);
      const kills = group.kills();
      await becomes(() => group.isEmpty(), 5000);
      rmdir(group.folder);
      const how = `the controller ended with ${code ?? signal}, the kernel killed ${kills}`;
      return { what: `${mib} MiB of memory: ${how}`, controllers: [controller] };
    },
  },
];

/** Files that are mapped can be read again and again, so that nobody is killed and nothing gets on: then we kill. */
const MOST_MS = 45_000;

interface Group {
  readonly folder: string;
  /** Processes that the kernel killed in it. */
  kills(): number;
  isEmpty(): boolean;
}

function makeGroup(name: string, bytes: number): Group {
  const place = memoryGroups();
  if (place === undefined) throw new Error('no control group for memory');
  const folder = join(place.folder, name);
  mkdirSync(folder);
  const old = place.version === 1;
  writeFileSync(join(folder, old ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
  try {
    writeFileSync(
      join(folder, old ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'),
      old ? String(bytes) : '0',
    );
  } catch {
    // Swap is not accounted for here.
  }
  const words = () => readFileSync(join(folder, old ? 'memory.oom_control' : 'memory.events'), 'utf8');
  return {
    folder,
    kills: () => Number(/^oom_kill (\d+)$/m.exec(words())?.[1] ?? 0),
    isEmpty: () => readFileSync(join(folder, 'cgroup.procs'), 'utf8') === '',
  };
}
