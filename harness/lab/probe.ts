// SPDX-License-Identifier: Apache-2.0

import { constants } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Seed } from '../core/seed.ts';
import type { EngineStatus } from './engine.ts';
import type { ReadyImage } from './image.ts';
import type { Accelerator } from './qemu-arguments.ts';
import { vmEngine } from './vm-engine.ts';

const VCPUS = 2;
/** Several times what the slowest engine takes to boot two vCPUs. */
const DEADLINE_MS: Readonly<Record<Accelerator, number>> = { exact: 180_000, tcg: 180_000, kvm: 45_000 };

/** Says whether an engine works on this host, from booting a guest with it that runs `/bin/true`. */
export async function probeEngine(
  engine: Accelerator,
  image: ReadyImage,
  signal: AbortSignal,
): Promise<EngineStatus> {
  if (engine === 'kvm') {
    const fault = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (fault === 'ENOENT') return { engine, works: false, why: 'there is no /dev/kvm' };
    if (fault !== undefined) return { engine, works: false, why: `/dev/kvm cannot be opened (${fault})` };
  }
  const folder = await mkdtemp(join(tmpdir(), `pmvx-probe-${engine}-`));
  try {
    const words = 'probe';
    const outcome = await vmEngine(engine, image, { hostDeadlineMs: () => DEADLINE_MS[engine] }).runTrial(
      {
        trial: 'probe',
        seed: 1 as Seed,
        policy: {
          id: 'eevdf',
          definition: { kind: 'builtin', summary: words, suits: words, weakness: words, source: words },
        },
        candidates: [],
        run: ['/bin/true'],
        deadlineMs: 30_000,
      },
      {
        engine,
        vcpus: VCPUS,
        memoryMiB: 512,
        speed: 1000 / VCPUS,
        quantum: 5000,
        topology: { nodes: 1, sockets: 1, cores: VCPUS, threads: 1 },
      },
      folder,
      signal,
    );
    const seconds = outcome.hostSeconds.toFixed(1);
    if (outcome.ended === 'done') {
      return { engine, works: true, why: `booted a guest, ran a program and powered off in ${seconds} s` };
    }
    const heard = outcome.frames.at(-1)?.kind;
    const told = heard === undefined ? 'it said nothing' : `its last word was "${heard}"`;
    const why =
      outcome.ended === 'deadline'
        ? `a guest did not get through in ${seconds} s; ${told}`
        : `the guest ended early: ${outcome.cause?.split('\n')[0]}; ${told}`;
    return { engine, works: false, why: engine === 'kvm' ? `/dev/kvm is there, but ${why}` : why };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
