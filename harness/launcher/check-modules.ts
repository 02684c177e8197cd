// SPDX-License-Identifier: Apache-2.0
// `node check-modules.ts ROOT`: whether node_modules is whole. Imports no module, as there may be none.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LockedModules, missingModules, type Platform } from './missing-modules.ts';

const root = process.argv[2] ?? '.';

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function installedVersion(folder: string): string | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(join(root, path))) return undefined;
  const { version } = readJson(path) as { version?: string };
  return version ?? '';
}

/** glibc says its version to every process it serves; musl says nothing. */
function libc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

const platform: Platform = { os: process.platform, cpu: process.arch, libc: libc() };
const { packages } = readJson('package-lock.json') as { packages: LockedModules };
const missing = missingModules(packages, platform, installedVersion);
// npm writes this last: without it, an installation was cut off.
if (!existsSync(join(root, 'node_modules/.package-lock.json')))
  missing.unshift('npm ci did not come to its end');
for (const line of missing) process.stdout.write(`${line}\n`);
process.exitCode = missing.length === 0 ? 0 : 1;
