// SPDX-License-Identifier: Apache-2.0
import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { imageFolder, readManifest } from '../../harness/lab/image.ts';
import { buildScene, writeTree } from './build-scene.ts';
import { cargoEnvironment } from './cargo-network.ts';
import { reasonIn } from './crates.ts';

/** Plays cargo: scx_good builds, all else fails with words. */
const CRATES = `#!/bin/sh
mkdir -p /build/out
for pin in "$@"; do
  case $pin in
    scx_good@*) mkdir -p "/build/out/$pin/bin"; echo program >"/build/out/$pin/bin/scx_good" ;;
    *) echo "error: no BPF today" >"/build/out/$pin.log" ;;
  esac
done
`;

test('a crate that does not build is left out with its reason, and the rest goes on and is kept', async (t) => {
  const scene = await buildScene(t);
  await scene.recipe({ policies: 'all' });
  await writeTree(scene.root, {
    'vm-images/builder/crates.sh': CRATES,
    'bpf/policies/scx_good/policy.yaml': 'crate: scx_good@1.0.0\n',
    'bpf/policies/scx_bad/policy.yaml': 'crate: scx_bad@2.0.0\n',
  });
  await chmod(join(scene.root, 'vm-images/builder/crates.sh'), 0o755);
  const { code, said } = await scene.build().ended;
  t.is(code, 0, said);
  t.regex(said, /left out: scx_bad: error: no BPF today/);
  const folder = await imageFolder(scene.root, scene.cache, 'tiny');
  t.deepEqual((await readManifest(folder, 'tiny')).left, { scx_bad: 'error: no BPF today' });
  const kept = (await readdir(join(scene.cache, 'crates'))).filter((name) => !name.endsWith('.sums'));
  t.is(kept.length, 1);
  t.regex(kept[0] ?? '', /^scx_good@1\.0\.0-[0-9a-f]{16}$/);
  // Only the one that failed is tried again.
  await rm(join(scene.cache, 'images'), { recursive: true });
  t.regex((await scene.build().ended).said, /building from cargo's registry: scx_bad@2\.0\.0 ?\n?/);
  t.is(await readFile(join(scene.cache, 'crates', kept[0] ?? '', 'scx_good'), 'utf8'), 'program\n');
});

test('the reason is what cargo calls an error, or the end of its words', (t) => {
  const log = 'Compiling a\nerror[E0425]: cannot find x\n --> src/main.rs:1\n\nmore\n';
  t.is(reasonIn(log), 'error[E0425]: cannot find x\n --> src/main.rs:1\nmore');
  t.is(reasonIn('1\n2\n3\n4\n5\n6\n7\n8\n'), '3\n4\n5\n6\n7\n8');
});

test('only what is about reaching the registry is taken from the environment', (t) => {
  const env = {
    CARGO_NET_RETRY: '3',
    HTTPS_PROXY: 'p',
    CARGO_HOME: '/x',
    RUSTFLAGS: '-C a',
    CARGO_BUILD_JOBS: '9',
  };
  t.deepEqual(cargoEnvironment(env), { CARGO_NET_RETRY: '3', HTTPS_PROXY: 'p' });
});
