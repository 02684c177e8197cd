// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { PolicyDefinition } from '../core/policy.ts';
import type { KnobState, SchedExtState } from '../core/trial.ts';
import { ejection, refusal } from './verdict.ts';

const path = '/proc/sys/net/ipv4/tcp_congestion_control';
const POLICY: PolicyDefinition = {
  kind: 'knob',
  summary: 's',
  suits: 's',
  weakness: 's',
  source: 's',
  subsystem: 'network',
  modules: [],
  settings: [{ path, value: 'bbr' }],
};
const logs = { policyLog: '', kernelLog: '' };
const under = (...knobs: KnobState[]): SchedExtState => ({ state: 'disabled', enableSeq: '0', knobs });
const set = { path, before: 'cubic', value: 'bbr' };

test('a setting that reads as wanted before and after, and is put back, is neither refused nor ejected', (t) => {
  const seen = { ...logs, attached: under(set), after: under({ ...set, restored: 'cubic' }) };
  t.is(refusal(POLICY, seen), undefined);
  t.is(ejection(POLICY, seen, ''), undefined);
});

test('a setting that did not take is refused with both values', (t) => {
  const verdict = refusal(POLICY, { ...logs, attached: under({ ...set, value: 'cubic' }) });
  t.is(verdict?.state, 'refused');
  t.is(verdict?.reason, `${path} reads "cubic", expected "bbr"`);
});

test('a setting of which the guest says nothing is not proven', (t) => {
  t.regex(refusal(POLICY, { ...logs, attached: under() })?.reason ?? '', /does not say what/);
});

test('a scheduler beside a setting is refused: the trial would be about two things', (t) => {
  const both = { ...under(set), state: 'enabled', ops: 'simple' };
  t.regex(refusal(POLICY, { ...logs, attached: both })?.reason ?? '', /expected disabled/);
});

test('a setting that did not hold, or could not be put back, ejects the policy', (t) => {
  const lost = { ...logs, attached: under(set), after: under({ ...set, value: 'cubic', restored: 'cubic' }) };
  t.regex(ejection(POLICY, lost, '')?.reason ?? '', /after the run .* reads "cubic"/);
  const stuck = { ...logs, attached: under(set), after: under({ ...set, restored: 'bbr' }) };
  t.regex(ejection(POLICY, stuck, '')?.reason ?? '', /could not be put back/);
});
