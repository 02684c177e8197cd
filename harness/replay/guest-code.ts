// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { PROBE_SETS } from '../core/probe-counters.ts';
import { GUEST_RUNTIME } from '../core/runtime-parts.ts';
import type { Day } from './day.ts';

/** Where the guest unpacks the project's code. */
export const CODE_ROOT = '/run/pmvx-code';
/** What the guest runs of it: the daemon, as `pmvx autotune` starts it. */
export const DAEMON_ENTRY = 'harness/replay/guest/autotune.ts';
/** Compiled with the image. */
const NAPI = 'bpf/napi/index.js';

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.{1,2}\/[^'"]+)['"]/g;

/**
 * The daemon's code as guest/boot.mjs unpacks it: every file that the entries lead to (the daemon's, and those of programs beside it),
 * without its types, the definitions of policies, and `packages` that an image lacks.
 * The same tree gives the same bytes.
 */
export function packDaemon(
  root: string,
  policies: readonly string[],
  day: Pick<Day, 'madeUp' | 'missingProbes'>,
  entries: readonly string[] = [DAEMON_ENTRY],
  packages: readonly string[] = [],
): string {
  const files: Record<string, string> = {};
  for (const path of new Set(entries.flatMap((entry) => reachable(root, entry)))) {
    const text = readFileSync(join(root, path), 'utf8');
    files[path] = path.endsWith('.ts') ? withoutTypes(text) : text;
  }
  for (const name of packages) {
    // A folder nearer to who asks than the image's packages are.
    for (const path of globSync(`node_modules/${name}/**/*.{js,cjs,mjs,json}`, { cwd: root }))
      if (!path.includes('/dist/cjs/')) files[`harness/${path}`] = readFileSync(join(root, path), 'utf8');
  }
  const folders = [
    ...policies.map((id) => `bpf/policies/${id}`),
    ...day.madeUp.map((id) => `bpf/made-up/${id}`),
  ];
  for (const folder of folders) {
    for (const path of globSync(`${folder}/policy.yaml`, { cwd: root }))
      files[path.replace('bpf/made-up/', 'bpf/policies/')] = readFileSync(join(root, path), 'utf8');
  }
  const links = {
    node_modules: `${GUEST_RUNTIME}/node_modules`,
    [dirname(NAPI)]: `${GUEST_RUNTIME}/node_modules/ebpf-napi`,
    ...guestObjects(policies, day),
  };
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ root: CODE_ROOT, files: sorted, links })}\n`;
}

/** Files of the project that `entry` imports, and what they import; what an image has compiled is left out. */
function reachable(root: string, entry: string): string[] {
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path) || path === NAPI) return;
    seen.add(path);
    const text = readFileSync(join(root, path), 'utf8');
    if (!/\.[cm]?[jt]s$/.test(path)) return;
    for (const [, specifier] of withoutTypes(text).matchAll(IMPORT)) {
      const next = relative(root, resolve(root, dirname(path), specifier as string));
      if (existsSync(join(root, next))) visit(next);
    }
  };
  visit(entry);
  return [...seen];
}

function withoutTypes(text: string): string {
  const { emitWarning } = process;
  // Node calls it experimental each time that a process first asks.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Where the guest has compiled probes and schedulers, as links below its code. */
function guestObjects(policies: readonly string[], day: Pick<Day, 'madeUp' | 'missingProbes'>) {
  const probes = PROBE_SETS.filter((set) => !day.missingProbes.includes(set));
  return Object.fromEntries([
    ...probes.map((set) => [`probes/${set}.bpf.o`, `/opt/pmvx/probes/${set}.bpf.o`]),
    ...policies.map((id) => [`objects/${id}.bpf.o`, `/opt/pmvx/sched/${id}.bpf.o`]),
    ...day.madeUp.map((id) => [`objects/${id}.bpf.o`, `${GUEST_RUNTIME}/made-up/${id}.bpf.o`]),
  ]);
}
