// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { controlMethods } from './methods.ts';

function scene() {
  let nowNs = 1e18;
  const notes: string[] = [];
  const daemon = {
    ask: () => ({ rule: 'applied', because: 'nothing spoke against it' }),
    note: (_: string, what: string) => void notes.push(what),
  };
  const clock = { nowNs: () => nowNs, stamp: () => new Date(nowNs / 1e6).toISOString() };
  const methods = controlMethods({ daemon, clock, policies: new Set(['p']), canLog: () => true } as never);
  const propose = (expiresMs: number) =>
    methods.propose({ policy: 'p', reason: 'because', expiresMs } as never);
  const later = (seconds: number) => {
    nowNs += seconds * 1e9;
  };
  return { propose, notes, later };
}

test('proposals are limited in their number and their rate, and those that are refused are no lines of the journal', async (t) => {
  const { propose, notes, later } = scene();
  for (let i = 0; i < 30; i++) await propose(1000);
  await t.throwsAsync(propose(1000), { message: /30 proposals within a minute/ });
  later(61);
  for (let i = 0; i < 30; i++) await propose(600_000);
  later(61);
  await propose(600_000);
  await propose(600_000);
  await t.throwsAsync(propose(600_000), { message: /32 proposals wait already/ });
  t.is(notes.length, 62);
  later(601);
  await t.notThrowsAsync(propose(1000));
});
