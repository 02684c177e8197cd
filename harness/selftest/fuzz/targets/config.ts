// SPDX-License-Identifier: Apache-2.0

import { canonicalJson } from '../../../core/ids.ts';
import { type Config, ConfigSchema, parseConfig } from '../../../runtime/daemon/config.ts';
import { ACCEPTED } from '../fuzz.ts';
import { filesAt } from '../seeds.ts';
import { Finding, type Target } from '../target.ts';
import { refusalOf } from '../yaml-faults.ts';

/** Configurations of the daemon as YAML. */
export function configTarget(root: string): Target {
  return {
    name: 'config',
    about: "the daemon's configuration (YAML)",
    mostBytes: 16_384,
    seeds: [
      ...filesAt(root, 'harness/runtime/systemd/*.yaml', 16_384),
      Buffer.from(
        'windowMs: 250\nrest: { after: 2 }\nguard: { windows: 2, dwell: { ms: 750 }, switchesAnHour: 10000 }\n',
      ),
    ],
    words: Object.keys(ConfigSchema.shape).map((key) => `${key}: `),
    read(input) {
      let config: Config;
      try {
        config = parseConfig(input.toString('utf8'), 'config.yaml');
      } catch (error) {
        return refusalOf(error, 'config.yaml');
      }
      if (canonicalJson(ConfigSchema.parse(config)) !== canonicalJson(config))
        throw new Finding('a configuration with its defaults is another one');
      return ACCEPTED;
    },
  };
}
