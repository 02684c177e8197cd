// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlMethods, Status } from '../contracts.ts';
import { type ControlClient, ControlRefusal, connectControl } from '../daemon/control-client.ts';

export interface ServiceOptions {
  readonly argv: readonly string[];
  readonly socket: string;
  /** What the daemon says on stderr. */
  readonly log: string;
  /** Between its end and the next start, ms: `RestartSec` of the unit. */
  readonly restartMs: number;
}

/** How long an answer may take, ms: longer than a switch. */
const ANSWER_MS = 60_000;

/** A daemon that is started again whenever it ends, as systemd does with `Restart=always`. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #log: number;
  #child: ChildProcess | undefined;
  #client: ControlClient | undefined;
  #stopping = false;
  #next: NodeJS.Timeout | undefined;
  starts = 0;
  refusal: string | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#log = openSync(options.log, 'a');
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Kills the daemon, as nobody who wants it well does; resolves when it is dead. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Undefined when nobody answers now, or the answer is no: then `refusal` says why. */
  async ask<M extends keyof ControlMethods>(
    method: M,
    params: ControlMethods[M]['params'],
  ): Promise<ControlMethods[M]['result'] | undefined> {
    try {
      this.#client ??= await connectControl(this.#options.socket);
      const late = delay(ANSWER_MS, undefined, { ref: false }).then(() =>
        Promise.reject(new Error('no answer')),
      );
      return await Promise.race([this.#client.call(method, params), late]);
    } catch (error) {
      // The daemon's own no is an answer.
      this.refusal = error instanceof ControlRefusal ? error.message : undefined;
      if (this.refusal !== undefined) return undefined;
      this.#client?.close();
      this.#client = undefined;
      return undefined;
    }
  }

  /** The daemon's state as soon as one answers; throws with its last words after `ms`. */
  async ready(ms: number): Promise<Status> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      const status = await this.ask('status', {});
      if (status !== undefined) return status;
      await delay(20);
    }
    const said = readFileSync(this.#options.log, 'utf8').slice(-2000);
    throw new Error(`no daemon answers after ${ms} ms; it started ${this.starts} times and said:\n${said}`);
  }

  /** Ends the daemon, and starts none any more; one that does not end at SIGTERM within `patienceMs` is killed, and that throws. */
  async stop(patienceMs = 60_000): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#next);
    this.#client?.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, patienceMs);
    await gone;
    clearTimeout(timer);
    if (late) throw new Error(`the daemon did not end at SIGTERM within ${patienceMs} ms`);
  }

  #start(): void {
    const { argv, restartMs } = this.#options;
    this.starts++;
    const child = spawn(argv[0] as string, argv.slice(1), { stdio: ['ignore', 'ignore', this.#log] });
    this.#child = child;
    child.once('exit', () => {
      if (!this.#stopping) this.#next = setTimeout(() => this.#start(), restartMs);
    });
  }
}
