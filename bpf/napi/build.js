// SPDX-License-Identifier: GPL-2.0-only
// Compiles the addon, and the guardian beside it, with gcc alone: `node build.js`. As an install script it never fails: a machine without gcc or libbpf installs the
// package all the same, build/reason.txt keeps why, and the first use says it. EBPF_NAPI_CFLAGS: more flags for the addon.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const build = join(here, 'build');
const addon = join(build, 'ebpf.node');
const guardian = join(build, 'guardian');
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
  for (const path of [addon, guardian]) rmSync(path, { force: true });
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
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra'];
  const more = (process.env.EBPF_NAPI_CFLAGS ?? '').split(' ').filter((flag) => flag !== '');
  // A thread that waits for a program outlives the worker that started it, and so must the code.
  const library = [
    '-fPIC',
    '-shared',
    // Another library of the process may have functions of the same names, and would be called instead.
    '-fvisibility=hidden',
    '-pthread',
    '-Wl,-z,nodelete',
    ...more,
    `-I${include}`,
    ...sources,
    '-lbpf',
  ];
  // Without libraries: all of it is in memory from its start on.
  const program = ['-static', '../guardian/guardian.c'];
  if (compile(guardian, [...flags, ...program]) && compile(addon, [...flags, ...library]))
    rmSync(reason, { force: true });
}

/** Whether it was compiled. */
function compile(path, args) {
  const part = `${path}.${process.pid}`;
  const gcc = spawnSync('gcc', ['-o', part, ...args], { cwd: join(here, 'src'), encoding: 'utf8' });
  if (gcc.error !== undefined) {
    fail(`gcc does not run (${gcc.error.code}). On Debian: apt-get install gcc libc6-dev libbpf-dev`);
  } else if (gcc.status !== 0) {
    const lacks = /bpf\/\w+\.h: No such file|cannot find -lbpf/.test(gcc.stderr);
    fail(lacks ? 'libbpf is not here. On Debian: apt-get install libbpf-dev' : gcc.stderr.trim());
  } else {
    renameSync(part, path);
    return true;
  }
  return false;
}
