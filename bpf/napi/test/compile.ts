// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const HERE = resolve(import.meta.dirname);
const ARCH = process.arch === 'arm64' ? 'arm64' : 'x86';
const MULTIARCH = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

/** Folder of the objects that this process compiled. */
const objects = mkdtempSync(join(tmpdir(), 'ebpf-napi-'));

/** Compiles a BPF program with the host's clang; path of the object. */
export function compileBpf(source: string, folder = HERE): string {
  const object = join(objects, `${source}.bpf.o`);
  if (existsSync(object)) return object;
  execFileSync(
    'clang',
    [
      ...['-target', 'bpf', '-mcpu=v3', '-g', '-O2', `-D__TARGET_ARCH_${ARCH}`, '-Wall', '-Werror'],
      ...['-idirafter', `/usr/include/${MULTIARCH}`, '-c', join(folder, `${source}.bpf.c`), '-o', object],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return object;
}

/** Compiles the addon, unless whoever runs the tests has. */
export function buildAddon(): void {
  if (process.env.EBPF_NAPI_PREBUILT !== undefined) return;
  execFileSync(process.execPath, [resolve(HERE, '../build.js')], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Why no program can be loaded on this host; undefined when it can. */
export function cannotLoad(): string | undefined {
  if (process.getuid?.() !== 0) return 'loading BPF programs needs root';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'this kernel has no BTF';
  return undefined;
}
