// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Frame, FrameKind, GuestOutcome } from '../engine.ts';

/** Collects the frames that a guest would send; the clock starts with the trial. */
export class NativeTrial {
  readonly #frames: Frame[] = [];
  readonly #began = process.hrtime.bigint();

  send(kind: FrameKind, payload: object): void {
    this.sendBytes(kind, Buffer.from(JSON.stringify(payload)));
  }

  sendBytes(kind: FrameKind, payload: Buffer): void {
    this.#frames.push({ kind, guestNs: process.hrtime.bigint() - this.#began, payload });
  }

  end(ended: GuestOutcome['ended'], cause?: string): GuestOutcome {
    if (ended === 'done') this.send('done', {});
    const hash = createHash('sha256');
    for (const frame of this.#frames) hash.update(`${frame.kind} ${frame.guestNs} `).update(frame.payload);
    return {
      ended,
      frames: this.#frames,
      transcript: hash.digest('hex'),
      consoleTail: '',
      ...(cause === undefined ? {} : { cause }),
      hostSeconds: Number(process.hrtime.bigint() - this.#began) / 1e9,
    };
  }
}
