// SPDX-License-Identifier: GPL-2.0-only
// Compiles the addon with gcc alone: `node build.js`. As an install script it never fails: a machine without gcc or libbpf installs the
// package all the same, build/reason.txt keeps why, and the first use says it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const build = join(here, 'build');
const addon = join(build, 'ebpf.node');
const reason = join(build, 'reason.txt');

/** Folder of node_api.h: of the package node-api-headers, else what came with this Node. */
function headers() {
  const found = [join(dirname(process.execPath), '../include/node')];
  try {
    found.unshift(createRequire(import.meta.url)('node-api-headers').include_dir);
  } catch {
    // The package is not there: Node's own may be.
  }
  return found.find((folder) => existsSync(join(folder, 'node_api.h')));
}

function fail(words) {
  rmSync(addon, { force: true });
  writeFileSync(reason, `${words}\n`);
  console.error(`ebpf-napi: not built: ${words.split('\n')[0]}`);
}

mkdirSync(build, { recursive: true });
const include = headers();
if (include === undefined) {
  fail('node_api.h was not found. Install the package node-api-headers');
} else {
  const sources = readdirSync(join(here, 'src'))
    .filter((name) => name.endsWith('.c'))
    .sort();
  const part = `${addon}.${process.pid}`;
  const flags = ['-std=gnu11', '-O2', '-fPIC', '-shared', '-Wall', '-Wextra', '-pthread', `-I${include}`];
  const gcc = spawnSync('gcc', [...flags, '-o', part, ...sources, '-lbpf'], {
    cwd: join(here, 'src'),
    encoding: 'utf8',
  });
  if (gcc.error !== undefined) {
    fail(`gcc does not run (${gcc.error.code}). On Debian: apt-get install gcc libc6-dev libbpf-dev`);
  } else if (gcc.status !== 0) {
    const lacks = /bpf\/\w+\.h: No such file|cannot find -lbpf/.test(gcc.stderr);
    fail(lacks ? 'libbpf is not here. On Debian: apt-get install libbpf-dev' : gcc.stderr.trim());
  } else {
    renameSync(part, addon);
    rmSync(reason, { force: true });
  }
}
