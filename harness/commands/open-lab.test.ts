// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { PmvxError } from '../core/errors.ts';
import { refuseBroken } from './open-lab.ts';

test('an engine that does not work is refused before the first trial, with its reason', (t) => {
  const why = '/dev/kvm cannot be opened (EACCES)';
  const error = t.throws(() => refuseBroken({ engine: 'kvm', works: false, why }), { instanceOf: PmvxError });
  t.is(error?.code, 3);
  t.is(
    error?.message,
    `engine kvm does not work on this machine: ${why}. \`pmvx doctor\` says which engines do; give one of them with --engine`,
  );
  t.notThrows(() => refuseBroken({ engine: 'kvm', works: true, why: 'booted a guest' }));
});
