// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { parseConfig } from './config.ts';

test('a quarantine that would begin longer than it may last is refused', (t) => {
  const text = (first: number, most: number) =>
    `map: map.db\nguard: { quarantine: { firstMs: ${first}, mostMs: ${most} } }\n`;
  t.notThrows(() => parseConfig(text(1000, 1000), 'a.yaml'));
  t.throws(() => parseConfig(text(2000, 1000), 'a.yaml'), {
    message: /a\.yaml:2:.*guard\.quarantine must have a firstMs of at most its mostMs/,
  });
});
