// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const SYSTEM_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Puts what decides how the user's cargo reaches its registry into a build folder: its configuration and certificates. */
export async function copyCargoNetwork(build: string, env: Environment): Promise<void> {
  const home = env.CARGO_HOME || join(env.HOME || homedir(), '.cargo');
  await mkdir(join(build, 'cargo'), { recursive: true });
  for (const name of ['config.toml', 'config']) {
    if (existsSync(join(home, name)))
      await cp(join(home, name), join(build, 'cargo', name), { dereference: true });
  }
  const certificates = [env.CARGO_HTTP_CAINFO, env.SSL_CERT_FILE, SYSTEM_CERTIFICATES].find(
    (path) => path && existsSync(path),
  );
  if (certificates) await cp(certificates, join(build, 'ca.crt'), { dereference: true });
}

/** Of an environment, what is about reaching a registry. The rest of the user's cargo settings would change what is built. */
export function cargoEnvironment(env: Environment): Record<string, string> {
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      value !== undefined &&
      (/^CARGO_(HTTP|NET|REGISTRY|REGISTRIES)_/.test(name) || /^(https?|no|all)_proxy$/i.test(name)),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
