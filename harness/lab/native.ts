// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Seed } from '../core/seed.ts';
import type { Engine, EngineStatus, GuestOutcome, Orders } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { IMAGE_FILES } from './image-files.ts';
import { runMachineProcess } from './machine-process.ts';
import { MOUNT_POINT, nativeCommand, PLACED } from './native/command.ts';
import { hostSchedExt, type NativeHost, nativeObstacle, thisHost } from './native/host.ts';
import { boundedOutput, readReport } from './native/report.ts';
import { NativeTrial } from './native/trial.ts';

/** Mounting, and loading programs from a cold disk. */
const SETUP_MS = 30_000;
const LAUNCHER = join(import.meta.dirname, 'native/launch.pl');

/**
 * No machine at all: the image's programs on this host, pinned to as many CPUs as the machine has vCPUs, under the host's own
 * kernel. It knows the built-in policy only, and refuses any other; nothing on the host is ever attached or changed.
 * Throws `PmvxError` where the host cannot do it.
 */
export function nativeEngine(image: Pick<ReadyImage, 'folder'>, host: NativeHost = thisHost): Engine {
  return {
    name: 'native',
    async runTrial(orders, machine, folder, signal) {
      const obstacle = await nativeObstacle(machine.vcpus, host);
      if (obstacle !== undefined) throw unavailable(obstacle);
      const trial = new NativeTrial();
      trial.send('hello', { kernel: host.kernel(), cpus: machine.vcpus, engine: 'native' });
      trial.send('ready', {});
      const { definition } = orders.policy;
      if (definition.kind !== 'builtin') {
        const reason = `native runs the built-in policy of the host's kernel only, not "${orders.policy.id}"`;
        trial.send('refused', { reason });
        return trial.end('done');
      }
      if (orders.forkAtMs !== undefined) {
        trial.send('refused', { reason: 'native cannot change the policy while the workload runs' });
        return trial.end('done');
      }
      trial.send('attached', await hostSchedExt());
      const cpus = (await host.cpus()).slice(0, machine.vcpus);
      await mkdir(join(folder, MOUNT_POINT), { recursive: true });
      await clear(folder);
      for (const { path, content } of orders.files ?? []) {
        await mkdir(join(folder, PLACED), { recursive: true });
        await writeFile(join(folder, PLACED, basename(path)), content);
      }
      const command = nativeCommand({
        root: join(image.folder, IMAGE_FILES.root),
        cpus,
        launcher: await readFile(LAUNCHER, 'utf8'),
        seed: orders.seed,
        deadlineMs: orders.deadlineMs,
        warmup: orders.warmup ?? [],
        run: orders.run,
      });
      try {
        const end = await runMachineProcess(command, {
          cwd: folder,
          deadlineMs: deadlineOf(orders),
          signal,
        });
        return await outcomeOf(trial, folder, end);
      } finally {
        await clear(folder);
        // Only when empty: nothing below a mount point is ever deleted from out here.
        await rmdir(join(folder, MOUNT_POINT)).catch(() => undefined);
      }
    },
  };
}

/** Says whether `vcpus` CPUs of this host can stand for a machine, from running `/bin/true` there. */
export async function probeNative(
  image: Pick<ReadyImage, 'folder'>,
  vcpus: number,
  signal: AbortSignal,
): Promise<EngineStatus> {
  const engine = 'native' as const;
  const obstacle = await nativeObstacle(vcpus, thisHost);
  if (obstacle !== undefined) return { engine, works: false, why: obstacle };
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-probe-native-'));
  try {
    const words = 'probe';
    const definition = {
      kind: 'builtin',
      summary: words,
      suits: words,
      weakness: words,
      source: words,
    } as const;
    const orders = {
      ...{ trial: 'probe', seed: 1 as Seed, policy: { id: 'builtin', definition }, candidates: [] },
      ...{ run: ['/bin/true'], deadlineMs: 10_000 },
    };
    const machine = {
      ...{ engine, vcpus, memoryMiB: 0, speed: 1000, quantum: 5000 },
      topology: { nodes: 1, sockets: 1, cores: vcpus, threads: 1 },
    } as const;
    const { ended, cause, hostSeconds } = await nativeEngine(image).runTrial(orders, machine, folder, signal);
    return ended === 'done'
      ? { engine, works: true, why: `ran a program of the image on this host in ${hostSeconds.toFixed(1)} s` }
      : { engine, works: false, why: cause ?? 'a program of the image did not end in time' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a trial leaves for its judge, also one whose controller was killed. */
async function clear(folder: string): Promise<void> {
  for (const name of ['report', 'output', 'trace', PLACED]) {
    await rm(join(folder, name), { force: true, recursive: true });
  }
}

function deadlineOf({ warmup, deadlineMs }: Orders): number {
  return SETUP_MS + (warmup === undefined ? 1 : 2) * deadlineMs;
}

async function outcomeOf(
  trial: NativeTrial,
  folder: string,
  end: Awaited<ReturnType<typeof runMachineProcess>>,
): Promise<GuestOutcome> {
  const { warm, result } = readReport(await readFile(join(folder, 'report'), 'utf8').catch(() => ''));
  if (warm !== undefined) trial.send('warm', warm);
  if (warm?.stuck) return trial.end('done');
  if (end.reachedDeadline) return trial.end('deadline');
  if (end.exitCode !== 0 || result === undefined) {
    const how = end.signal === undefined ? `exited with code ${end.exitCode}` : `was killed by ${end.signal}`;
    return trial.end('died', `the launcher ${how}${end.stderr === '' ? '' : `: ${end.stderr.slice(-2000)}`}`);
  }
  trial.sendBytes('output', await boundedOutput(join(folder, 'output')));
  trial.send('result', result);
  trial.send('after', await hostSchedExt());
  trial.sendBytes('policy-log', Buffer.alloc(0));
  trial.sendBytes('klog', Buffer.alloc(0));
  return trial.end('done');
}

function unavailable(what: string): PmvxError {
  return new PmvxError(ExitCode.environment, { where: 'engine native', what, next: 'Use another engine' });
}
