// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import test from 'ava';
import { ExitCode } from '../../harness/core/errors.ts';
import { imageFolder, requireImage } from '../../harness/lab/image.ts';
import { type BuildScene, buildScene, processesOf, quiet, waitingAtGate, writeTree } from './build-scene.ts';

function images(scene: BuildScene): string[] {
  return existsSync(join(scene.cache, 'images')) ? readdirSync(join(scene.cache, 'images')) : [];
}

const READY = /^ready [0-9a-f]{16}\n$/m;

/** What a build leaves in its cache besides logs and the file of the lock. */
function left(scene: BuildScene): string[] {
  return readdirSync(scene.cache).filter((name) => name !== 'logs' && name !== 'build.lock');
}

function calls(scene: BuildScene): string[] {
  return readFileSync(scene.calls, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && line !== 'waiting');
}

test('a build leaves a whole image and its roots, and no scratch; the next one finds it there, or makes the same bits', async (t) => {
  const scene = await buildScene(t);
  const first = await scene.build().ended;
  t.is(first.code, ExitCode.ok, first.said);
  const { manifest } = await requireImage(scene.root, scene.cache, 'tiny');
  t.is(manifest.guestKernel, '1.2.3');
  t.deepEqual(left(scene), ['images', 'roots']);
  const second = await scene.build().ended;
  t.is(second.said, READY.exec(first.said)?.[0] ?? 'nothing');
  // From kept roots the same bits come again.
  await rm(join(scene.cache, 'images'), { recursive: true });
  const third = await scene.build().ended;
  t.is(READY.exec(third.said)?.[0], second.said);
  t.is(calls(scene).length, 2);
});

test('of two builds at once the second waits, finds the image, and nothing is fetched twice', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const first = scene.build();
  await waitingAtGate(scene, 2);
  const second = scene.build();
  await second.saying('waiting for another build in the same cache');
  await rm(scene.gate);
  const ends = await Promise.all([first.ended, second.ended]);
  t.deepEqual(
    ends.map(({ code }) => code),
    [0, 0],
  );
  t.is(calls(scene).length, 2);
  t.is(images(scene).length, 1);
});

test('Ctrl-C in mid-build leaves no half image, no scratch and no process', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const builder = scene.build();
  await waitingAtGate(scene, 2);
  t.true(processesOf(scene).some((command) => command.startsWith('straggler')));
  builder.child.kill('SIGINT');
  const { code, said } = await builder.ended;
  t.is(code, ExitCode.interrupted);
  t.regex(said, /stopped\n$/);
  t.deepEqual(left(scene), []);
  await quiet(scene);
  await rm(scene.gate);
  t.is((await scene.build().ended).code, ExitCode.ok);
});

test('kill -9 of the builder ends every process of it; the next build removes its scratch and works', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const builder = scene.build();
  await waitingAtGate(scene, 2);
  builder.child.kill('SIGKILL');
  await builder.ended;
  await quiet(scene);
  t.deepEqual(images(scene), []);
  t.is(left(scene).length, 1, 'the scratch is there');
  await rm(scene.gate);
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.ok, said);
  t.deepEqual(left(scene), ['images', 'roots']);
});

test('a build that waits for a killed one goes on by itself', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const first = scene.build();
  await waitingAtGate(scene, 2);
  const second = scene.build();
  await second.saying('waiting for another build');
  await rm(scene.gate);
  first.child.kill('SIGKILL');
  const { code, said } = await second.ended;
  t.is(code, ExitCode.ok, said);
});

test('Ctrl-C ends a build that waits for another, and leaves the other alone', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const first = scene.build();
  await waitingAtGate(scene, 2);
  const second = scene.build();
  await second.saying('waiting for another build');
  second.child.kill('SIGINT');
  t.is((await second.ended).code, ExitCode.interrupted);
  await rm(scene.gate);
  t.is((await first.ended).code, ExitCode.ok);
});

test('a root that cannot be made fails with the cause; --force that fails leaves what was there', async (t) => {
  const scene = await buildScene(t);
  t.is((await scene.build().ended).code, ExitCode.ok);
  const before = await requireImage(scene.root, scene.cache, 'tiny');
  await writeFile(scene.words, "E: Failed to fetch http://d/InRelease  Temporary failure resolving 'd'\n");
  const { code, said } = await scene.build({ force: true }).ended;
  t.is(code, ExitCode.environment);
  t.regex(said, /root: the Debian archive cannot be reached \(Failed to fetch http:\/\/d\/InRelease/);
  t.deepEqual(left(scene), ['images', 'roots']);
  const after = await requireImage(scene.root, scene.cache, 'tiny');
  t.is(after.digest, before.digest);
});

test('a damaged image is refused by the name of the part, and --force replaces it', async (t) => {
  const scene = await buildScene(t);
  t.is((await scene.build().ended).code, ExitCode.ok);
  const part = join(await imageFolder(scene.root, scene.cache, 'tiny'), 'vmlinux');
  await writeFile(part, 'kernal');
  const refused = await scene.build().ended;
  t.is(refused.code, ExitCode.image);
  t.is(
    refused.said,
    `${part}: this part of the image is corrupt: its SHA-256 is not the one that was built. Build it anew: \`./pmvx image build tiny --force\`\n`,
  );
  const forced = await scene.build({ force: true }).ended;
  t.is(forced.code, ExitCode.ok, forced.said);
  t.is(readFileSync(part, 'utf8'), 'kernel');
  t.deepEqual(left(scene), ['images', 'roots']);
});

test("a source that does not compile fails the build with the compiler's words", async (t) => {
  const scene = await buildScene(t);
  const words = "agent.c:3:1: error: expected ';' before '}' token";
  await writeTree(scene.root, { 'vm-images/builder/compile.sh': `echo "${words}" >&2\nexit 1\n` });
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.image);
  t.true(said.includes(`compile failed with exit code 1:\n${words}. The whole log is `), said);
  t.deepEqual(images(scene), []);
  t.deepEqual(left(scene), ['roots']);
});

test('another series of QEMU than the recipe asks for is refused', async (t) => {
  const scene = await buildScene(t);
  await scene.recipe({ qemu: '99.1' });
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.image);
  t.regex(
    said,
    /image tiny: the archive offers QEMU 10\.0\.99, and the exact engine is proven with 99\.1 only/,
  );
  t.deepEqual(images(scene), []);
});

test('a guest root with two kernels is refused', async (t) => {
  const scene = await buildScene(t);
  await scene.addGuestFile('boot/vmlinuz-1.2.4', 'another');
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.image);
  t.regex(said, /the guest root holds 2 kernels, wanted one\. Name one kernel package in the recipe/);
});

test('sources that change in mid-build make no image under a wrong name', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.gate, '');
  const builder = scene.build();
  await waitingAtGate(scene, 2);
  await writeTree(scene.root, { 'bpf/guest/agent/main.c': 'int other;\n' });
  await rm(scene.gate);
  const { code, said } = await builder.ended;
  t.is(code, ExitCode.image);
  t.regex(said, /image tiny: its recipe or sources changed while it was built\. Build it again\n$/);
  t.deepEqual(images(scene), []);
});

test('too little disk is told before anything is fetched', async (t) => {
  const scene = await buildScene(t);
  const { code, said } = await scene.build({ bytesNeeded: 2 ** 60 }).ended;
  t.is(code, ExitCode.environment);
  t.regex(
    said,
    /cache: building an image takes 1073741824\.0 GiB of disk here, \d+\.\d GiB are free\. Free some space, or set PMVX_CACHE to a folder on another disk\n$/,
  );
  t.false(existsSync(scene.calls));
});

test('a cache that cannot be written is named', async (t) => {
  const scene = await buildScene(t);
  await writeFile(scene.cache, 'a file');
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.environment);
  t.regex(said, /cache: images cannot be kept here \((EEXIST|ENOTDIR)\)\. Set PMVX_CACHE to a folder/);
});

test('what does not compile of one policy or workload is left out of the image, with the reason', async (t) => {
  const scene = await buildScene(t);
  const why = 'bpf/policies/mine/mine.bpf.c:3:1: error: unknown type name';
  const script = join(scene.root, 'vm-images/builder/compile.sh');
  const left = `mkdir -p /build/out/left\necho '${why}' >/build/out/left/bpf%policies%mine\n`;
  await writeFile(script, `${await readFile(script, 'utf8')}${left}`);
  const { code, said } = await scene.build().ended;
  t.is(code, ExitCode.ok, said);
  t.true(said.includes(`left out: bpf/policies/mine: ${why}`), said);
  const [folder = ''] = await readdir(join(scene.cache, 'images'));
  const manifest = JSON.parse(await readFile(join(scene.cache, 'images', folder, 'manifest.json'), 'utf8'));
  t.deepEqual(manifest.left, { 'bpf/policies/mine': why });
});

test('without mmdebstrap the build says which package brings it', async (t) => {
  const scene = await buildScene(t);
  await rm(join(scene.bin, 'mmdebstrap'));
  // Everything that is on PATH, except mmdebstrap.
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter((each) => existsSync(each))) {
    for (const name of readdirSync(folder)) {
      if (name !== 'mmdebstrap') await symlink(join(folder, name), join(scene.bin, name)).catch(() => {});
    }
  }
  const { code, said } = await scene.build({ path: scene.bin }).ended;
  t.is(code, ExitCode.environment);
  t.is(said, 'mmdebstrap is not installed, and images are built with it. Run `apt-get install mmdebstrap`\n');
});
