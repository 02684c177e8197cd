// SPDX-License-Identifier: Apache-2.0
// What a guest sees of its host: nothing. Accessed bits follow the emulator's cache of addresses, x87 the host's arithmetic.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ForkLab } from '../../lab/fork/fork-point.ts';
import { labOrders } from '../../lab/lab-machine.ts';
import { runMachineProcess } from '../../lab/machine-process.ts';
import { writeMailbox } from '../../lab/mailbox.ts';
import { openSnapshotStore } from '../../lab/snapshots/store.ts';
import { defaultHostDeadlineMs, MACHINE_FILES, machineCommand, vmEngine } from '../../lab/vm-engine.ts';
import { Draw } from '../../selftest/draw.ts';
import { DISTURBANCES } from '../../selftest/exact/disturbances.ts';
import { GUESTS } from '../../selftest/exact/guests.ts';
import { runMachine } from '../../selftest/exact/machine.ts';
import type { Bits, Lived, Trial } from '../../selftest/exact/storm.ts';
import { smallMachine, stageImage } from './stage.ts';
import { withSlots } from './vm-slots.ts';

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-exactness-')));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const { signal } = new AbortController();

let opened: Promise<ForkLab> | undefined;
function openLab(): Promise<ForkLab> {
  opened ??= (async () => ({
    accelerator: 'exact' as const,
    image: await stageImage(),
    store: await openSnapshotStore(join(scratch, 'store'), { limitBytes: 2 * 2 ** 30, signal }),
    hostDeadlineMs: (orders, machine) => 10 * defaultHostDeadlineMs(orders, machine),
  }))();
  return opened;
}

let machines = 0;
async function live(guest: string, kind: string, from: Trial['from'] = 'fork'): Promise<Lived> {
  const trial: Trial = {
    index: machines++,
    guest: GUESTS.find(({ name }) => name === guest) as Trial['guest'],
    kind: DISTURBANCES.find(({ name }) => name === kind) as Trial['kind'],
    vcpus: 1,
    policy: 'eevdf',
    from,
  };
  const lab = await openLab();
  const folder = join(scratch, String(trial.index));
  return withSlots(1, () => runMachine(lab, trial, folder, signal, new Draw(1, trial.index)));
}

function bits({ ended, hash, transcript, result }: Lived): Bits {
  return { ended, hash, transcript, result };
}

test.serial(
  'a guest that reads accessed bits does the same in a quiet fork, in two that are paused, and in a boot',
  async (t) => {
    const quiet = await live('phases', 'none');
    t.is(quiet.ended, 'done', quiet.cause);
    t.is((JSON.parse(quiet.result) as { exit: number }).exit, 0);
    for (const kind of ['pauses-window', 'pauses-window']) {
      const paused = await live('phases', kind);
      t.true(paused.events > 3, `${paused.events} pauses`);
      t.deepEqual(bits(paused), bits(quiet));
    }
    t.deepEqual(bits(await live('phases', 'none', 'boot')), bits(quiet));
  },
);

test.serial('x87 is the same on a processor with FMA and AVX and on one without', async (t) => {
  const here = await live('x87', 'none');
  t.is(here.ended, 'done', here.cause);
  t.deepEqual(bits(await live('x87', 'plain-host')), bits(here));
});

test.serial('a machine whose libraries may use fused multiply-add does not start', async (t) => {
  const { image } = await openLab();
  const play = { prefix: ['env', 'GLIBC_TUNABLES='] };
  const engine = vmEngine('exact', image, { hostDeadlineMs: defaultHostDeadlineMs, play });
  const folder = join(scratch, 'fused');
  const orders = labOrders('fused', ['/bin/true']);
  const { ended, cause } = await withSlots(1, () => engine.runTrial(orders, smallMachine(1), folder, signal));
  t.is(ended, 'died');
  // A processor that has neither has nothing to hide.
  t.regex(cause ?? '', /slice: x87 instructions would follow the host's processor/);
});

test.serial("a machine that could read the host's clock ends before its first instruction", async (t) => {
  const { image } = await openLab();
  const command = machineCommand('exact', image, smallMachine(1), undefined, {});
  const at = command.indexOf('--preload');
  t.true(at > 0);
  await writeMailbox(join(scratch, MACHINE_FILES.mailbox), labOrders('clock', ['/bin/true']));
  const end = await withSlots(1, () =>
    runMachineProcess(command.toSpliced(at, 2), { cwd: scratch, deadlineMs: 120_000, signal }),
  );
  t.is(end.exitCode, 1);
  t.regex(end.stderr, /slice: QEMU still reads the host's clock/);
});
