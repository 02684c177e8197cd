// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { LauncherScene } from './launcher-scene.ts';

const SUDO = process.getuid?.() === 0 ? '' : 'sudo ';
const MMDEBSTRAP = 'mmdebstrap (makes the root file systems of images)';
const INSTALL = `${SUDO}apt-get install --no-install-recommends`;

/** Lines of the log that are about apt-get, without the options that are always there. */
async function aptCalls(scene: LauncherScene): Promise<string[]> {
  return (await scene.calls())
    .filter((line) => line.startsWith('apt-get'))
    .map((line) => line.replace('-o DPkg::Lock::Timeout=300 ', ''));
}

test('without a terminal and without --yes, what is missing is one line with the command, and nothing is done', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  const { code, out, err } = await scene.pmvx(['quickstart']);
  t.deepEqual({ code, out }, { code: 3, out: '' });
  t.is(
    err,
    `pmvx: not on this machine: ${MMDEBSTRAP}. Run \`${INSTALL} mmdebstrap\`, or give --yes to have that done.\n`,
  );
  t.deepEqual(await scene.calls(), []);
});

test('a machine without Node is told of everything at once', async (t) => {
  const scene = await LauncherScene.open(t, ['node', 'npm', 'gcc', 'git']);
  const { code, out, err } = await scene.pmvx(['test']);
  t.is(code, 3);
  t.is(out, '0 passed, 1 failed\n');
  t.regex(err, /install --no-install-recommends gcc git nodejs npm( ca-certificates)?`, or give --yes/);
});

test('--yes installs what the command needs and no more, with fresh lists only where apt knows nothing', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap', 'gcc']);
  const first = await scene.pmvx(['image', '--yes', 'build', 'quick']);
  t.is(first.code, 0, first.err);
  t.deepEqual(JSON.parse(first.out).args, ['image', 'build', 'quick']);
  const install = 'apt-get install --yes --no-install-recommends';
  t.deepEqual(await aptCalls(scene), ['apt-get update', `${install} mmdebstrap`]);
  t.regex(
    first.err,
    new RegExp(`^pmvx: not on this machine: mmdebstrap .*Running \`${INSTALL} mmdebstrap\``),
  );

  const second = await scene.pmvx(['test', '--yes']);
  t.deepEqual((await aptCalls(scene)).slice(2), [`${install} gcc`]);
  t.not(second.code, 3);
});

test('CI has nobody to ask, and installs', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  const { code, err } = await scene.pmvx(['quickstart'], { CI: 'true' });
  t.is(code, 0, err);
});

const BUILD_NEEDS = ['mmdebstrap', 'tar', 'mount', 'unshare', 'setpriv', 'newuidmap'];

test('commands that build nothing need no package of those that build', async (t) => {
  const scene = await LauncherScene.open(t, [...BUILD_NEEDS, 'gcc', 'git']);
  for (const args of [
    ['validate', 'x'],
    ['plan', 'x'],
    ['list', 'runs'],
    ['analyze', 'x'],
    ['doctor', '--json'],
    ['image', 'verify', 'quick'],
    ['image', 'selftest', 'quick'],
    ['image', 'build', 'no-such-recipe'],
    ['run', '--help'],
    ['run', 'x', '--engine', 'mock'],
    ['run', 'x', '--engine', 'tcg'],
    ['run', 'x'],
    ['fidelity', 'x'],
    ['paper'],
  ]) {
    const { code, out, err } = await scene.pmvx(args);
    t.is(code, 0, err);
    t.deepEqual(JSON.parse(out).args, args);
  }
  t.deepEqual(await aptCalls(scene), []);
});

test('commands that build need nothing while the image is there, and are told when it is to be built again', async (t) => {
  const scene = await LauncherScene.open(t, BUILD_NEEDS);
  await scene.keepImage(true);
  for (const args of [['quickstart'], ['image', 'build', 'quick']]) {
    const { code, out, err } = await scene.pmvx(args);
    t.is(code, 0, err);
    t.deepEqual(JSON.parse(out).args, args);
  }
  for (const args of [
    ['image', 'build', 'quick', '--force'],
    ['image', 'reproduce', 'quick'],
  ]) {
    const { code, err } = await scene.pmvx(args);
    t.is(code, 3);
    t.true(err.startsWith(`pmvx: not on this machine: ${MMDEBSTRAP}`), err);
  }
  // The sources have changed since the image that is kept was built.
  rmSync(join(scene.folder, 'up-to-date'));
  const { code, err } = await scene.pmvx(['quickstart']);
  t.is(code, 3);
  t.true(err.includes(`not on this machine: ${MMDEBSTRAP}`), err);
});

test('on a terminal it asks, and without a yes it installs nothing', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  const { code, out } = await scene.onTerminal(['quickstart'], 'n');
  t.is(code, 3);
  t.is(
    out.replaceAll('\r', ''),
    `pmvx: not on this machine:\n  ${MMDEBSTRAP}\nRun \`${INSTALL} mmdebstrap\`? [y/N] n\n` +
      `pmvx: nothing was installed. When you want it: \`${INSTALL} mmdebstrap\`.\n`,
  );
  t.deepEqual(await scene.calls(), []);
});

test('on a terminal a yes installs, and the command runs', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  const { code, out } = await scene.onTerminal(['quickstart'], 'y');
  t.is(code, 0, out);
  t.true(existsSync(join(scene.folder, 'bin/mmdebstrap')));
  t.regex(out, /"args":\["quickstart"\]/);
});

test('a system without apt is told what to bring', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap', 'apt-get']);
  const { code, err } = await scene.pmvx(['quickstart', '--yes']);
  t.is(code, 3);
  t.is(
    err,
    `pmvx: not on this machine: ${MMDEBSTRAP}. pmvx installs with apt, on Debian 12 and 13; bring the like of mmdebstrap by this system's own means.\n`,
  );
});

test('apt that fails is one line with its own reason', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  const words = 'Reading package lists...\nE: Unable to locate package mmdebstrap';
  const { code, out, err } = await scene.pmvx(['test', '--yes'], { APT_WORDS: words });
  t.deepEqual({ code, out }, { code: 3, out: '0 passed, 1 failed\n' });
  t.is(
    err.split('\n').at(-2),
    `pmvx: apt-get failed: E: Unable to locate package mmdebstrap. The whole log is ${scene.project}/.pmvx/logs/apt.log. Check the network and apt's sources, then repeat.`,
  );
});

test('a package that does not bring its program is not believed', async (t) => {
  const scene = await LauncherScene.open(t, ['mmdebstrap']);
  rmSync(join(scene.folder, 'shelf/mmdebstrap'));
  const { code, err } = await scene.pmvx(['quickstart', '--yes']);
  t.is(code, 3);
  t.regex(err, /apt-get has installed mmdebstrap, and mmdebstrap is still not there\./);
});
