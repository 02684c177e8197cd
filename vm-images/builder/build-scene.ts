// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';

/**
 * A project whose recipe `tiny` builds in a second: mmdebstrap is a script that hands out roots of a few programs of this
 * machine, a program that knows a version plays QEMU, and `true` plays mke2fs. All else is the builder as it is.
 */
export interface BuildScene {
  readonly root: string;
  readonly cache: string;
  /** Folder that comes first in PATH; holds mmdebstrap. */
  readonly bin: string;
  /** While this file exists, mmdebstrap waits. */
  readonly gate: string;
  /** One line for each time that mmdebstrap was started. */
  readonly calls: string;
  /** What mmdebstrap says on stderr before it fails; absent when it works. */
  readonly words: string;
  build(options?: BuildOptions): Builder;
  /** Puts one more file into the guest root that mmdebstrap will hand out. */
  addGuestFile(name: string, content: string): Promise<void>;
  recipe(changes: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface BuildOptions {
  readonly force?: boolean;
  readonly bytesNeeded?: number;
  /** PATH of the builder; by default this process's behind the scene's programs. */
  readonly path?: string;
}

/** A builder in a process of its own. */
export interface Builder {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
  /** Resolves when the builder has said a text that contains `words`. */
  saying(words: string): Promise<void>;
}

const BUILD = `
  import { buildImage } from '${import.meta.dirname}/build.ts';
  const [root, cache, force, bytesNeeded] = process.argv.slice(1);
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort(Object.assign(new Error('stopped'), { code: 130 })));
  buildImage({
    root, cache, recipe: 'tiny', force: force === 'true', bytesNeeded: Number(bytesNeeded),
    say: (line) => console.log(line), signal: stop.signal,
  }).then(
    (image) => console.log('ready ' + image.digest),
    (error) => {
      console.log(error.code === undefined ? error.stack : error.message);
      process.exitCode = error.code ?? 1;
    },
  );
`;

const PROGRAMS = ['/bin/sh', '/bin/mkdir', '/bin/true'];
const QEMU = '#include <stdio.h>\nint main(void) { puts("QEMU emulator version 10.0.99"); return 0; }\n';
const LIBRARY = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'usr/lib64/ld-linux-x86-64.so.2';
const COMPILE = `#!/bin/sh
set -eu
mkdir -p /build/out/sched /build/out/bin /build/out/work /build/out/probes
for name in initrd.cpio slice.so; do echo "$name" >/build/out/$name; done
`;

/** Whoever sets the scene says what is to be undone at its end. */
export interface Undoing {
  teardown(undo: () => unknown): void;
}

export async function buildScene(t: Undoing, within = tmpdir()): Promise<BuildScene> {
  const folder = await mkdtemp(join(within, 'pmvx-build-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [root, cache, bin] = [join(folder, 'project'), join(folder, 'cache'), join(folder, 'bin')];
  const [gate, calls, words] = [join(folder, 'gate'), join(folder, 'calls'), join(folder, 'words')];
  await writeTree(root, {
    'vm-images/builder/compile.sh': COMPILE,
    'vm-images/builder/packages.sh': '',
    'bpf/guest/agent/main.c': 'int main;\n',
  });
  await writeTree(join(folder, 'guest'), guestFiles());
  const packGuest = () => pack(join(folder, 'guest'), join(folder, 'guest.tar'));
  packGuest();
  toolsArchive ??= makeToolsArchive();
  await symlink(await toolsArchive, join(folder, 'tools.tar'));
  await writeTree(bin, { mmdebstrap: fakeMmdebstrap(folder) });
  await chmod(join(bin, 'mmdebstrap'), 0o755);
  const recipe = (changes: Readonly<Record<string, unknown>>) =>
    writeTree(root, { 'vm-images/recipes/tiny.yaml': JSON.stringify({ ...tinyRecipe(), ...changes }) });
  await recipe({});
  const build = (options: BuildOptions = {}) => {
    const args = [root, cache, String(options.force === true), String(options.bytesNeeded ?? 1)];
    return startBuilder(t, args, options.path ?? `${bin}:${process.env.PATH}`, folder);
  };
  const addGuestFile = async (name: string, content: string) => {
    await writeTree(join(folder, 'guest'), { [name]: content });
    packGuest();
  };
  return { root, cache, bin, gate, calls, words, build, addGuestFile, recipe };
}

function startBuilder(t: Undoing, args: readonly string[], path: string, scratch: string): Builder {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', BUILD, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, TMPDIR: scratch },
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      child.emit('said');
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return {
    child,
    ended,
    async saying(words) {
      while (!said.includes(words)) {
        const end = await Promise.race([once(child, 'said'), ended]);
        if ('code' in end) throw new Error(`the builder ended without saying "${words}": ${said}`);
      }
    },
  };
}

/** Hands out a root; while the gate is there it waits, with children inside and outside its process group. */
function fakeMmdebstrap(folder: string): string {
  return `#!/bin/bash
while [[ $1 != trixie ]]; do shift; done
target=$2
echo "$target" >>${folder}/calls
if [[ -e ${folder}/words ]]; then cat ${folder}/words >&2; exit 25; fi
if [[ -e ${folder}/gate ]]; then
  mkdir "$TMPDIR/half.$$"
  (exec -a "straggler ${folder}" sleep 1000) & inside=$!
  # Only in a process namespace can such a one be caught.
  [[ $(readlink /proc/self/ns/pid) == '${readlinkSync('/proc/self/ns/pid')}' ]] || (exec -a "straggler ${folder}" setsid sleep 1000) & outside=$!
  echo waiting >>${folder}/calls
  while [[ -e ${folder}/gate ]]; do sleep 0.1; done
  kill $inside $outside 2>/dev/null
fi
if [[ $target == - ]]; then exec cat ${folder}/tools.tar; else exec cp ${folder}/guest.tar "$target"; fi
`;
}

function tinyRecipe(): Record<string, unknown> {
  const packages = { guest: ['linux-image'], tools: ['gcc'] };
  return { summary: 'Tiny.', suite: 'trixie', ...packages, qemu: '10.0', schedulers: [] };
}

function guestFiles(): Record<string, string | Buffer> {
  const modules = ['libnvdimm', 'nd_virtio', 'virtio_pmem', 'nd_btt', 'nd_pmem'];
  return {
    'boot/vmlinuz-1.2.3': bzImage(),
    'usr/share/pmvx/packages.tsv': `linux-image\t1.2.3\tamd64\t${'a'.repeat(64)}\n`,
    ...Object.fromEntries(modules.map((name) => [`m/kernel/drivers/nvdimm/${name}.ko.xz`, name])),
  };
}

/** As little of a bzImage as its unpacking looks at. */
function bzImage(): Buffer {
  const payload = Buffer.concat([zstdCompressSync(Buffer.from('kernel')), Buffer.alloc(4)]);
  const setup = Buffer.alloc(5 * 512);
  setup[0x1f1] = 4;
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt32LE(0, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, payload]);
}

/** The same for all scenes of a process. */
let toolsArchive: Promise<string> | undefined;

async function makeToolsArchive(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-build-tools-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await toolsTree(join(folder, 'tools'));
  pack(join(folder, 'tools'), join(folder, 'tools.tar'));
  return join(folder, 'tools.tar');
}

function pack(tree: string, archive: string): void {
  execFileSync('tar', ['-c', '-f', archive, '-C', tree, '.']);
}

/** A root that `sh` runs in, with the programs that play QEMU and mke2fs. */
async function toolsTree(tree: string): Promise<void> {
  const firmware = ['qemu/pvh.bin', 'qemu/linuxboot_dma.bin', 'qemu/kvmvapic.bin', 'seabios/bios-256k.bin'];
  await writeTree(tree, {
    'usr/share/pmvx/packages.tsv': `gcc\t14\tamd64\t${'b'.repeat(64)}\n`,
    ...Object.fromEntries(firmware.map((name) => [`usr/share/${name}`, name])),
  });
  for (const name of ['dev', 'proc', LIBRARY, 'usr/bin', 'usr/sbin', 'usr/lib64']) {
    await mkdir(join(tree, name), { recursive: true });
  }
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(tree, name));
  for (const program of PROGRAMS) {
    await copyFile(program, join(tree, 'usr/bin', basename(program)));
    const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
    for (const [, path = ''] of listed.matchAll(/=> (\/\S+)/g)) {
      await copyFile(path, join(tree, LIBRARY, basename(path)));
    }
  }
  await copyFile('/lib64/ld-linux-x86-64.so.2', join(tree, LOADER));
  const qemu = join(tree, 'usr/bin/qemu-system-x86_64');
  execFileSync('gcc', ['-x', 'c', '-o', qemu, '-'], { input: QEMU });
  await copyFile('/bin/true', join(tree, 'usr/sbin/mke2fs'));
}

export async function writeTree(
  folder: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** Resolves when mmdebstrap has been started `count` times and waits at the gate. */
export async function waitingAtGate(scene: BuildScene, count: number): Promise<void> {
  const counted = () =>
    existsSync(scene.calls) ? readFileSync(scene.calls, 'utf8').split('waiting\n').length - 1 : 0;
  while (counted() < count) await setTimeout(50);
}

/** Command lines of the living processes that have to do with a scene, besides the test's own. */
export function processesOf(scene: BuildScene): string[] {
  const folder = dirname(scene.root);
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const place = readlinkSync(`/proc/${pid}/cwd`);
      return command.includes(folder) || place.startsWith(folder) ? [command] : [];
    } catch {
      return [];
    }
  });
}

/** Resolves when no process of a scene is left. */
export async function quiet(scene: BuildScene): Promise<void> {
  while (processesOf(scene).length > 0) await setTimeout(50);
}
