// SPDX-License-Identifier: Apache-2.0
// Runs in a guest that stands for a host with sched_ext: a trial as the native engine starts it, under the guest's own kernel. Prints what the
// launcher reported, what the trial printed, and what the kernel says of sched_ext afterwards.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MOUNT_POINT, type NativeRun, nativeCommand, PLACED } from '../../lab/native/command.ts';
import { hostSchedExt } from '../../lab/native/host.ts';

/** What the test hands over as JSON. */
export interface NativeDay extends NativeRun {
  readonly files: readonly { readonly path: string; readonly base64: string }[];
}

const FOLDER = '/tmp/native';

const { files, ...run } = JSON.parse(readFileSync(process.argv.at(-1) as string, 'utf8')) as NativeDay;
// What udev does on a host.
execFileSync('/usr/sbin/modprobe', ['loop']);
for (const name of [MOUNT_POINT, PLACED]) mkdirSync(join(FOLDER, name), { recursive: true });
for (const { path, base64 } of files)
  writeFileSync(join(FOLDER, PLACED, basename(path)), Buffer.from(base64, 'base64'));
const [program = '', ...args] = nativeCommand(run);
execFileSync(program, args, { cwd: FOLDER, stdio: 'inherit' });
const kept = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
console.log(JSON.stringify({ report: kept('report'), output: kept('output'), after: await hostSchedExt() }));
