// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';

/** What figures of each engine are, and what they are not: for every report. */
export const ENGINE_LIMITS: Readonly<Record<EngineName, readonly string[]>> = {
  exact: [
    'Time is the number of executed instructions, not cycles: the same spec and seed give the same figures on every host, busy or not.',
    'Caches, branch prediction, memory bandwidth, frequency scaling and simultaneous multithreading play no part, and moving a task to another CPU costs nothing besides the kernel\u2019s own work.',
    'So it tells what a policy decides, and what follows from that in instructions. It does not tell what the same decision costs on hardware. Confirm a finding on kvm before you believe it of hardware.',
  ],
  tcg: [
    'The machine is emulated in real time: wake-ups across CPUs are inflated, and the host\u2019s other work changes the figures.',
    'Emulated instructions have other relative costs than those of hardware; caches and bandwidth are the emulator\u2019s.',
  ],
  kvm: [
    'Real time on the CPUs of this host: its other work, its frequency scaling and its temperature change the figures.',
    'Virtual CPUs are scheduled by the host as well; interrupts and timers cost more than without a machine.',
  ],
  native: [
    'No machine at all: programs of the image on this host, under its own kernel and its own scheduler.',
    'Only the built-in policy can be measured, and all other work of the host is in the figures.',
  ],
  mock: ['Made-up figures for tests. They say nothing about any scheduler.'],
};
