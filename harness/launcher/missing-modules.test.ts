// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type LockedModules, missingModules } from './missing-modules.ts';

const X64 = { os: 'linux', cpu: 'x64', libc: 'glibc' };

/** What is missing where everything but these folders is installed as locked. */
function without(locked: LockedModules, ...absent: string[]): string[] {
  return missingModules(locked, X64, (folder) =>
    absent.includes(folder) ? undefined : (locked[folder]?.version ?? ''),
  );
}

test('what the root needs, through others too, must be there in the locked version', (t) => {
  const locked: LockedModules = {
    '': { dependencies: { a: '1' }, devDependencies: { dev: '1' } },
    'node_modules/a': { version: '1.0.0', dependencies: { b: '1' }, peerDependencies: { peer: '1' } },
    'node_modules/a/node_modules/b': { version: '1.2.0' },
    'node_modules/b': { version: '9.0.0' },
    'node_modules/dev': { version: '1.0.0', devDependencies: { 'not-installed': '1' } },
    'node_modules/peer': { version: '1.0.0' },
  };
  t.deepEqual(without(locked), []);
  t.deepEqual(without(locked, 'node_modules/a/node_modules/b', 'node_modules/dev', 'node_modules/peer'), [
    'node_modules/dev 1.0.0 is not installed',
    'node_modules/a/node_modules/b 1.2.0 is not installed',
    'node_modules/peer 1.0.0 is not installed',
  ]);
  t.deepEqual(
    missingModules(locked, X64, () => '1.0.0'),
    ['node_modules/a/node_modules/b is 1.0.0, not 1.2.0'],
  );
});

test('a module of another platform may be absent, and so may what only it needs', (t) => {
  const locked: LockedModules = {
    '': { optionalDependencies: { here: '1', arm: '1', musl: '1', win: '1', 'not-linux': '1' } },
    'node_modules/here': { version: '1.0.0', os: 'linux', cpu: ['x64', 'arm64'], libc: ['glibc'] },
    'node_modules/arm': { version: '1.0.0', cpu: 'arm64', dependencies: { 'of-arm': '1' } },
    'node_modules/of-arm': { version: '1.0.0' },
    'node_modules/musl': { version: '1.0.0', libc: ['musl'] },
    'node_modules/win': { version: '1.0.0', os: ['win32'] },
    'node_modules/not-linux': { version: '1.0.0', os: ['!linux'] },
  };
  const all = Object.keys(locked).filter((folder) => folder !== '');
  t.deepEqual(without(locked, ...all), ['node_modules/here 1.0.0 is not installed']);
});

test('a workspace is needed without being named as a dependency, and so is what it needs', (t) => {
  const locked: LockedModules = {
    '': { workspaces: ['parts/own'] },
    'node_modules/own': { resolved: 'parts/own', link: true },
    'node_modules/stray': { resolved: 'elsewhere', link: true },
    'parts/own': { version: '0.1.0', dependencies: { c: '1' } },
    'node_modules/c': { version: '1.0.0' },
  };
  t.deepEqual(without(locked), []);
  t.deepEqual(without(locked, 'node_modules/own', 'node_modules/stray', 'node_modules/c'), [
    'node_modules/own is not installed',
    'node_modules/c 1.0.0 is not installed',
  ]);
});

test('a link needs what its target needs', (t) => {
  const locked: LockedModules = {
    '': { dependencies: { shim: 'file:shim' } },
    'node_modules/shim': { resolved: 'folder/shim', link: true },
    'folder/shim': { version: '3.0.0', dependencies: { c: '1' } },
    'node_modules/c': { version: '1.0.0' },
  };
  t.deepEqual(without(locked), []);
  t.deepEqual(without(locked, 'node_modules/shim', 'node_modules/c'), [
    'node_modules/shim is not installed',
    'node_modules/c 1.0.0 is not installed',
  ]);
});
