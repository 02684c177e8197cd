// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ended, LauncherScene } from './launcher-scene.ts';

const FLAGS =
  'ci --include=dev --include=optional --include=peer --engine-strict=false --no-audit --no-fund --no-progress --loglevel=error --no-update-notifier';
const BOTH_STAGES = [`npm project/.pmvx/bootstrap ${FLAGS}`, `npm project ${FLAGS}`];

function stampOf(scene: LauncherScene): string {
  return join(scene.project, 'node_modules/.pmvx-stamp');
}

test('the first call brings Node, then the modules with it, and runs the command where it was called', async (t) => {
  const scene = await LauncherScene.open(t);
  const { code, out, err } = await scene.pmvx(['validate', 'my spec.yaml', '--json']);
  t.is(code, 0, err);
  t.deepEqual(JSON.parse(out), {
    args: ['validate', 'my spec.yaml', '--json'],
    cwd: join(scene.folder, 'elsewhere'),
  });
  t.is(
    err,
    'pmvx: bringing Node 24 (once)\n' +
      'pmvx: installing the modules of package-lock.json (when it has changed, and the first time)\n',
  );
  t.deepEqual(await scene.calls(), BOTH_STAGES);
});

test('the second call says and installs nothing; a changed lock installs the modules again', async (t) => {
  const scene = await LauncherScene.open(t);
  await scene.pmvx(['--version']);
  t.is((await scene.pmvx(['--version'])).err, '');
  t.deepEqual(await scene.calls(), BOTH_STAGES);
  await appendFile(join(scene.project, 'package-lock.json'), '\n');
  const { code, err } = await scene.pmvx(['--version']);
  t.is(code, 0, err);
  t.deepEqual((await scene.calls()).slice(2), BOTH_STAGES.slice(1));
});

test('a module that npm leaves out without a word is missed, and missed again', async (t) => {
  const scene = await LauncherScene.open(t);
  await scene.lockModules({ npm: { version: '2.0.0' } });
  const first = await scene.pmvx(['--version']);
  t.is(first.code, 3);
  t.is(first.out, '');
  t.true(
    first.err.endsWith(
      'pmvx: npm has left out what package-lock.json names: node_modules/npm 2.0.0 is not installed. ' +
        `See ${scene.project}/.pmvx/logs/missing-modules.log and npm's configuration, then repeat.\n`,
    ),
    first.err,
  );
  t.false(existsSync(stampOf(scene)));
  t.is((await scene.pmvx(['--version'])).code, 3);
});

for (const [words, message] of [
  [
    'npm error code EAI_AGAIN',
    "the package registry cannot be reached (EAI_AGAIN); check the network and npm's registry and proxy settings, then repeat",
  ],
  [
    'npm ERR! code SELF_SIGNED_CERT_IN_CHAIN',
    "the certificate of the package registry is not trusted (SELF_SIGNED_CERT_IN_CHAIN); name your network's own authority with NODE_EXTRA_CA_CERTS or npm's cafile, then repeat",
  ],
  ['npm error code ENOSPC', 'the disk is full; free about 1 GB below PROJECT, then repeat'],
  ['npm error code E404\nnpm error 404 Not Found - x@1', 'npm error 404 Not Found - x@1'],
  ['nothing known', 'no reason given'],
] as const) {
  test(`npm that fails (${words.split('\n')[0]}) is one line, and tried again next time`, async (t) => {
    const scene = await LauncherScene.open(t);
    const { code, out, err } = await scene.pmvx(['--version'], { NPM_WORDS: words });
    t.deepEqual({ code, out }, { code: 3, out: '' });
    t.is(
      err.split('\n').at(-2),
      `pmvx: npm ci failed: ${message.replace('PROJECT', scene.project)}. The whole log is ${scene.project}/.pmvx/logs/npm.log.`,
    );
    t.is((await scene.pmvx(['--version'])).code, 0);
  });
}

test('modules that were installed by hand are taken as they are', async (t) => {
  const scene = await LauncherScene.open(t);
  await scene.pmvx(['--version']);
  rmSync(stampOf(scene));
  t.deepEqual(await scene.pmvx(['--version']), {
    code: 0,
    out: `${JSON.stringify({ args: ['--version'], cwd: join(scene.folder, 'elsewhere') })}\n`,
    err: '',
  });
  t.true(existsSync(stampOf(scene)));
  t.is((await scene.calls()).length, 2);
});

test('an installation that was killed is made again', async (t) => {
  const scene = await LauncherScene.open(t);
  writeFileSync(join(scene.folder, 'hold'), '');
  const first = scene.start(['--version']);
  for await (const chunk of first.stderr as NodeJS.ReadableStream) {
    if (String(chunk).includes('installing the modules')) break;
  }
  process.kill(-(first.pid as number), 'SIGKILL');
  if (first.exitCode === null && first.signalCode === null) await once(first, 'exit');
  rmSync(join(scene.folder, 'hold'));
  t.false(existsSync(stampOf(scene)));
  const second = await scene.pmvx(['--version']);
  t.is(second.code, 0, second.err);
  t.true(existsSync(stampOf(scene)));
});

test('two first calls at once install once, and both run', async (t) => {
  const scene = await LauncherScene.open(t);
  const both = await Promise.all([scene.pmvx(['--version']), scene.pmvx(['--version'])]);
  t.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
    both.map(({ err }) => err).join(''),
  );
  t.deepEqual(await scene.calls(), BOTH_STAGES);
});

test('modules are not taken away beneath a pmvx that runs', async (t) => {
  const scene = await LauncherScene.open(t);
  await scene.pmvx(['--version']);
  const running = scene.start(['run'], { CLI_WAITS: '1' });
  await once(running.stdout as NodeJS.ReadableStream, 'data');
  await appendFile(join(scene.project, 'package-lock.json'), '\n');
  const second = scene.start(['--version']);
  second.stdin?.end();
  const secondEnds = ended(second);
  const [words] = await once(second.stderr as NodeJS.ReadableStream, 'data');
  t.is(
    String(words),
    'pmvx: waiting: another pmvx is setting up, or is running with the modules that have to change\n',
  );
  t.is((await scene.calls()).length, 2);
  running.stdin?.end();
  await once(running, 'close');
  t.is((await secondEnds).code, 0);
});

test('a project folder that cannot be written is named', async (t) => {
  const scene = await LauncherScene.open(t);
  await writeFile(join(scene.project, '.pmvx'), 'not a folder');
  const { code, err } = await scene.pmvx(['--version']);
  t.is(code, 3);
  t.is(
    err,
    `pmvx: ${scene.project}/.pmvx: cannot be written (File exists). pmvx keeps Node and its modules in its own folder; make that writable, or clone it elsewhere.\n`,
  );
});

test('once everything is there, nothing but Node is needed to run', async (t) => {
  const scene = await LauncherScene.open(t);
  await scene.pmvx(['--version']);
  for (const name of ['npm', 'node', 'cp', 'df', 'grep']) rmSync(join(scene.folder, 'bin', name));
  t.is((await scene.pmvx(['list', 'policies'])).code, 0);
});
