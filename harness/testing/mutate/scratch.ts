// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/** How a program ended: its exit code, or undefined after `limitMs`. */
export interface Ended {
  readonly code: number | undefined;
  readonly output: string;
  readonly ms: number;
}

/** A copy of the project in which sources are changed and tests run; nothing of it is left, and no process. */
export class Scratch implements AsyncDisposable {
  readonly root: string;
  readonly #folder: string;
  readonly #stop: AbortSignal;

  private constructor(folder: string, stop: AbortSignal) {
    this.#folder = folder;
    this.#stop = stop;
    this.root = join(folder, 'pmvx');
  }

  static async make(project: string, files: readonly string[], stop: AbortSignal): Promise<Scratch> {
    const scratch = new Scratch(await mkdtemp(join(tmpdir(), 'pmvx-mutants-')), stop);
    for (const file of files) {
      const to = join(scratch.root, file);
      await mkdir(dirname(to), { recursive: true });
      await cp(join(project, file), to);
    }
    await symlink(join(project, 'node_modules'), join(scratch.root, 'node_modules'));
    for (const name of ['tmp', 'home']) await mkdir(join(scratch.#folder, name));
    return scratch;
  }

  get stopped(): boolean {
    return this.#stop.aborted;
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(join(this.root, file), text);
  }

  /** Runs a program of a module with Node; it and what it started end after `limitMs`. */
  async run(program: string, args: readonly string[], limitMs: number): Promise<Ended> {
    if (this.#stop.aborted) return { code: undefined, output: '', ms: 0 };
    const began = performance.now();
    const child = execa(process.execPath, [join(this.root, 'node_modules', program), ...args], {
      cwd: this.root,
      reject: false,
      all: true,
      stdin: 'ignore',
      detached: true,
      env: {
        // A changed program may remove what it should not: it finds none of the user's folders.
        HOME: join(this.#folder, 'home'),
        XDG_CACHE_HOME: join(this.#folder, 'home/.cache'),
        TMPDIR: join(this.#folder, 'tmp'),
        NODE_COMPILE_CACHE: join(this.#folder, 'compile-cache'),
        NO_COLOR: '1',
      },
    });
    const end = () => killGroup(child.pid);
    this.#stop.addEventListener('abort', end);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    const { exitCode, all } = await child;
    clearTimeout(timer);
    this.#stop.removeEventListener('abort', end);
    end();
    return { code: late ? undefined : (exitCode ?? 1), output: all ?? '', ms: performance.now() - began };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
