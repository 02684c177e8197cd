// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { halfBusy } from '../../../../analysis/features/sample-counted.ts';
import { kernelExits } from '../../../core/scheduler-exit.ts';
import { GuardianKeeper } from '../../actuate/guardian.ts';
import type { Holder } from '../../actuate/holder.ts';
import type { Keeper, OpenLink } from '../../actuate/keeper.ts';
import { knobHolder } from '../../actuate/knob.ts';
import type { HolderHooks } from '../../actuate/load-policies.ts';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import type { World } from '../../daemon/world.ts';
import type { HostProbes } from '../../host-probes.ts';
import { systemClock } from '../../sense/clock.ts';
import { KERNEL_FILES } from './kernel.ts';

/** A machine whose kernel is a process (kernel.ts) and whose probes are files: all else is as it is. */
export function fakeWorld(folder: string): World {
  const schedExt = join(folder, KERNEL_FILES.schedExt);
  const socket = join(folder, KERNEL_FILES.socket);
  return {
    clock: systemClock,
    requireDaemon: () => undefined,
    readState: () => readSchedExt(schedExt),
    openLog: () => logOf(join(folder, KERNEL_FILES.log)),
    expediter: () => undefined,
    guardian: (killFile) => GuardianKeeper.start(killFile),
    openProbes: (objects) => (set) => fakeProbes(join(objects, set)),
    holders: (policies, _places, hooks) => {
      const holders = new Map<string, Holder>();
      for (const { id, definition } of policies) {
        if (definition.kind === 'struct_ops')
          holders.set(id, linkHolder(socket, definition.ops, hooks.keeper));
        else if (definition.kind === 'process') holders.set(id, childHolder(socket, definition.ops, hooks));
        else if (definition.kind === 'knob') {
          // A setting of this machine would be a real one: this one is a file beside the kernel.
          const settings = definition.settings.map((each) => ({ ...each, path: join(folder, 'setting') }));
          holders.set(id, knobHolder({ settings, save: hooks.saveSettings, keeper: hooks.keeper }));
        }
      }
      return { holders, lacking: new Map() };
    },
  };
}

function logOf(path: string): ReturnType<World['openLog']> {
  let read = existsSync(path) ? readFileSync(path).length : 0;
  return {
    exits: () => {
      const bytes = readFileSync(path);
      const news = bytes.toString('utf8', read);
      read = bytes.length;
      return kernelExits(news);
    },
    close: () => undefined,
  };
}

/** Counters that grow as those of a machine that is half busy do, as long as the file is there. */
function fakeProbes(path: string): HostProbes {
  const read: HostProbes['read'] = () => {
    if (!existsSync(path)) throw new Error(`${path} is not there`);
    const ns = systemClock.nowNs();
    const set = path.slice(path.lastIndexOf('/') + 1) as 'cpu';
    return { [set]: { ns, missed: 0, counters: halfBusy(ns / 1e9).sets[set] ?? {} } };
  };
  read();
  return { read, pause: () => undefined, resume: () => undefined, close: () => undefined };
}

async function attach(link: Socket, ops: string): Promise<void> {
  link.write(`attach ${ops}\n`);
  const [answer] = (await once(link, 'data')) as [Buffer];
  if (String(answer) === 'ok\n') return;
  throw new Error(String(answer).trim());
}

async function closed(link: Socket): Promise<void> {
  if (link.closed) return;
  const gone = once(link, 'close');
  link.end();
  await gone;
}

function linkHolder(path: string, ops: string, keeper: Keeper | undefined): Holder {
  return {
    kind: 'struct_ops',
    version: '1',
    prepare: async () => {
      const link = connect(path);
      await once(link, 'connect');
      return {
        take: async () => {
          await attach(link, ops);
          const ward = await keeper?.holdLink(openLink(link));
          const release = async () => (ward === undefined ? closed(link) : ward.drop());
          return { ops, ended: () => undefined, proof: () => 'a link is held', release };
        },
        discard: () => closed(link),
      };
    },
  };
}

/** A connection as a link of BPF is: a descriptor, of which this process's copy can be closed. */
function openLink(link: Socket): OpenLink {
  const { _handle: handle } = link as unknown as { readonly _handle: { readonly fd: number } };
  return { descriptor: handle.fd, destroy: () => void link.destroy() };
}

function childHolder(
  path: string,
  ops: string,
  { childStarted: started, childEnded: ended, keeper }: HolderHooks,
): Holder {
  return {
    kind: 'process',
    version: '1',
    prepare: async () => {
      const script = join(import.meta.dirname, 'scheduler.ts');
      const child = spawn(process.execPath, [script, path, ops], { stdio: ['pipe', 'pipe', 'inherit'] });
      const pid = child.pid as number;
      started(pid);
      await keeper?.holdProcess(pid);
      const gone = once(child, 'exit').then(() => ended(pid));
      await Promise.race([once(child.stdout, 'data'), gone]);
      const end = async () => {
        child.kill('SIGKILL');
        await gone;
      };
      return {
        discard: end,
        take: async () => {
          child.stdin.write('go\n');
          return {
            ops,
            ended: () =>
              child.exitCode === null && child.signalCode === null
                ? undefined
                : `was killed by ${child.signalCode} or exited with status ${child.exitCode}`,
            proof: () => `process ${pid} holds it`,
            release: end,
          };
        },
      };
    },
  };
}
