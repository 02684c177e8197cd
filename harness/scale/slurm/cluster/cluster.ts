// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { boundTo } from '../../../lab/machine-process.ts';

const SCRIPT = join(import.meta.dirname, 'cluster.sh');

/** New namespaces whose first process ends with its parent, and takes all others with it. */
const NAMESPACES = ['--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];

export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A Slurm cluster on this machine for tests and measurements: see cluster.sh. All of it ends with this process. As an ordinary user it
 * needs subordinate ids (/etc/subuid) and newuidmap.
 */
export class Cluster implements AsyncDisposable {
  /** Shared by all hosts. */
  readonly folder: string;
  readonly #process: ChildProcess;
  readonly #init: number;
  readonly #cpus: number;

  private constructor(folder: string, process: ChildProcess, cpus: number) {
    this.folder = folder;
    this.#process = process;
    this.#init = initOf(process.pid as number);
    this.#cpus = cpus;
  }

  /** Starts `nodes` nodes with `cpus` processors each, and waits until they are idle. */
  static async start({ nodes, cpus }: { readonly nodes: number; readonly cpus: number }): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'pmvx-slurm-'));
    const script = [SCRIPT, folder, String(nodes), String(cpus)];
    const [program, ...args] = boundTo(process.pid, ['unshare', ...asRoot(), ...NAMESPACES, ...script]);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    const ready = new Promise<boolean>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          said.push(line);
          if (line === 'ready') resolve(true);
        });
      }
      child.once('error', (error) => said.push(error.message));
      child.once('close', () => resolve(false));
    });
    if (await ready) return new Cluster(folder, child, cpus);
    await rm(folder, { recursive: true, force: true });
    throw new Error(`the cluster did not start:\n${said.join('\n')}`);
  }

  /** Runs a program on the controller's host. */
  async run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<CommandEnd> {
    const { exitCode, stdout, stderr } = await this.spawn(program, args, env);
    return { exitCode, stdout, stderr };
  }

  /** The same, as a process to be watched and signalled; `pid` is that of nsenter, which passes no signals on. */
  spawn(program: string, args: readonly string[], env: Record<string, string> = {}) {
    const enter = ['--target', String(this.#init), '--mount', '--net', '--uts', '--pid', ...asUser()];
    return execa('nsenter', [...enter, program, ...args], {
      reject: false,
      stdin: 'ignore',
      env: { SLURM_CONF: join(this.folder, 'slurm.conf'), ...env },
    });
  }

  /** Ends a node at once, as a power cut would, with all that runs on it. */
  async killNode(node: number): Promise<void> {
    await this.#kill(`n${node}`);
  }

  /** Brings a node back. */
  async startNode(node: number): Promise<void> {
    await this.#script('node', String(node), String(this.#cpus));
  }

  /**
   * Ends slurmctld as an administrator would, with its state saved, and starts it again. (After SIGKILL it has forgotten up to 5 s, starts
   * some tasks once more where they run already, and takes such nodes out of service until somebody looks.)
   */
  async restartController(): Promise<void> {
    await this.#kill('slurmctld', 'TERM');
    const pid = await this.#pid('slurmctld');
    const lives = async () => (await this.run('ps', ['-o', 'stat=', pid])).stdout.match(/^[^Z]/) !== null;
    while (await lives()) await delay(100);
    await this.#script('controller');
  }

  async #pid(name: string): Promise<string> {
    return (await readFile(join(this.folder, 'pid', name), 'utf8')).trim();
  }

  async #kill(name: string, signal = 'KILL'): Promise<void> {
    const { exitCode, stderr } = await this.run('kill', [`-${signal}`, await this.#pid(name)]);
    if (exitCode !== 0) throw new Error(`${name} could not be killed: ${stderr}`);
  }

  async #script(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr, stdout } = await this.run(SCRIPT, [this.folder, ...args]);
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? [] : ['--map-root-user', '--map-auto'];
}

function asUser(): string[] {
  return process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
}

/** The first process in the namespaces: the only child of unshare. */
function initOf(unshare: number): number {
  return Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim());
}
