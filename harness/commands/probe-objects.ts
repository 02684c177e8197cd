// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { ProbeSet } from '../core/probe-counters.ts';
import { cacheFolder } from '../lab/image-files.ts';
import type { CommandContext } from './context.ts';

/** Where an image puts compiled schedulers and probes; a machine that runs pmvx by itself has them there, too. */
export const INSTALLED = '/opt/pmvx';

/** Folder of compiled probes: installed, or those of the newest image in the cache, for probes run on any kernel; undefined without. */
export function findProbes(env: CommandContext['env']): string | undefined {
  const installed = join(INSTALLED, 'probes');
  if (existsSync(installed)) return installed;
  const [newest] = globSync(join(cacheFolder(env), 'images/*/probes/cpu.bpf.o'))
    .map((path) => ({ path, changed: statSync(path).mtimeMs }))
    .sort((a, b) => b.changed - a.changed);
  return newest && dirname(newest.path);
}

/** As the image's are compiled (vm-images/builder/compile.sh). */
const FLAGS = ['-target', 'bpf', '-mcpu=v3', '-g', '-O2'];
const TARGETS: Readonly<Record<string, { readonly define: string; readonly headers: string }>> = {
  x64: { define: '-D__TARGET_ARCH_x86', headers: '/usr/include/x86_64-linux-gnu' },
  arm64: { define: '-D__TARGET_ARCH_arm64', headers: '/usr/include/aarch64-linux-gnu' },
};

/** Compiled probes of these sets for this host, found or made by its clang; `remove` takes away what was made. */
export function hostProbeObjects(
  sets: readonly ProbeSet[],
  { env, root }: Pick<CommandContext, 'env' | 'root'>,
): { readonly folder: string; remove(): void } {
  const found = findProbes(env);
  if (found !== undefined) return { folder: found, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-probes-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const set of sets) compile(set, join(root, 'bpf/probes'), folder, env);
    return { folder, remove };
  } catch (error) {
    remove();
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    const [words = ''] = stderr.split('\n');
    throw new PmvxError(
      ExitCode.environment,
      {
        where: 'bpf/probes',
        what: `no compiled probes are here, and clang ${code === 'ENOENT' ? 'is not installed' : `does not compile them: ${words}`}`,
        next: 'On Debian: apt-get install clang libbpf-dev. Or build an image, which has them: pmvx image build quick',
      },
      { cause: error },
    );
  }
}

function compile(set: ProbeSet, sources: string, folder: string, env: CommandContext['env']): void {
  const { define = '', headers = '' } = TARGETS[process.arch] ?? {};
  const source = join(sources, `${set}.bpf.c`);
  const args = [...FLAGS, define, '-idirafter', headers, '-c', source, '-o', join(folder, `${set}.bpf.o`)];
  execFileSync('clang', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env });
}
