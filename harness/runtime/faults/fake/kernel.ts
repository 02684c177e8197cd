// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { KernelState } from '../../contracts.ts';

/** Where a stand-in for the kernel keeps what it says. */
export const KERNEL_FILES = { schedExt: 'sched_ext', log: 'kmsg', socket: 'kernel.sock' } as const;

/**
 * Stands for the kernel's sched_ext between processes: whoever connects and asks to attach holds the scheduler as long as the connection is
 * there, as with a BPF link, so that a holder that is killed leaves none. Its state is in files of sysfs's names.
 */
export class FakeKernel {
  readonly #folder: string;
  readonly #server: Server;
  #holder: Socket | undefined;
  #state: KernelState = { state: 'disabled', enableSeq: 0 };
  /** Names of all that were enabled, in order. */
  readonly names: string[] = [];

  private constructor(folder: string, server: Server) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(folder: string): Promise<FakeKernel> {
    mkdirSync(join(folder, KERNEL_FILES.schedExt, 'root'), { recursive: true });
    const server = createServer();
    const kernel = new FakeKernel(folder, server);
    kernel.#show();
    writeFileSync(join(folder, KERNEL_FILES.log), '');
    server.on('connection', (socket) => kernel.#serve(socket));
    await new Promise<void>((resolve) => server.listen(join(folder, KERNEL_FILES.socket), resolve));
    return kernel;
  }

  get state(): KernelState {
    return this.#state;
  }

  /** An administrator's scheduler, which nobody here holds. */
  enableForeign(ops: string): boolean {
    if (this.#state.state !== 'disabled') return false;
    this.#enable(ops);
    return true;
  }

  /** Ends the scheduler, and says why in its log. */
  end(reason: string): void {
    const { ops } = this.#state;
    if (ops === undefined) return;
    appendFileSync(
      join(this.#folder, KERNEL_FILES.log),
      `4,1,1,-;sched_ext: BPF scheduler "${ops}" disabled (${reason})\n`,
    );
    this.#holder = undefined;
    this.#state = { state: 'disabled', enableSeq: this.#state.enableSeq ?? 0 };
    this.#show();
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #enable(ops: string): void {
    this.#state = { state: 'enabled', ops, enableSeq: (this.#state.enableSeq ?? 0) + 1 };
    this.names.push(ops);
    this.#show();
  }

  #serve(socket: Socket): void {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const ops = /^attach (\S+)\n$/.exec(text)?.[1];
      if (ops === undefined || this.#state.state !== 'disabled') {
        socket.write('EBUSY\n');
        return;
      }
      this.#holder = socket;
      this.#enable(ops);
      socket.write('ok\n');
    });
    socket.on('error', () => socket.destroy());
    // A link that is closed, by whoever or by a death, ends its scheduler.
    socket.on('close', () => {
      if (this.#holder === socket) this.end('unregistered from user space');
    });
  }

  /** Each file is replaced whole; between two of them a reader may see what never was, as in sysfs. */
  #show(): void {
    const { state, ops = '', enableSeq } = this.#state;
    for (const [name, value] of [
      ['root/ops', ops],
      ['enable_seq', String(enableSeq)],
      ['nr_rejected', '0'],
      ['switch_all', '1'],
      ['state', state],
    ] as const) {
      const path = join(this.#folder, KERNEL_FILES.schedExt, name);
      writeFileSync(`${path}.new`, `${value}\n`);
      renameSync(`${path}.new`, path);
    }
  }
}
