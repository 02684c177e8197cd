// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { buildAddon, compileBpf } from './test/compile.ts';

buildAddon();

const ADDON = join(import.meta.dirname, 'build/ebpf.node');
const INDEX = JSON.stringify(new URL('index.js', import.meta.url).href);

test('the addon gives other libraries nothing but what Node asks for', (t) => {
  const symbols = execFileSync('nm', ['-D', '--defined-only', ADDON], { encoding: 'utf8' });
  const names = symbols.split('\n').flatMap((line) => line.split(' ')[2] ?? []);
  t.deepEqual(names.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});

test('functions of the same names in a library that came before are not called', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ebpf-napi-names-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'library.so');
  writeFileSync(
    join(folder, 'library.c'),
    'const char *type_name(int type) { return type ? "TEXT" : "NULL"; }\n',
  );
  execFileSync('gcc', ['-shared', '-fPIC', '-o', library, join(folder, 'library.c')]);
  const object = JSON.stringify(compileBpf('sample'));
  const script = `
    const { BpfObject } = await import(${INDEX});
    const object = BpfObject.open(${object});
    process.stdout.write(String(object.getGlobal('only_tgid')));
    object.close();
  `;
  const argv = ['--input-type=module', '-e', script];
  const env = { ...process.env, LD_PRELOAD: library };
  t.is(execFileSync(process.execPath, argv, { env, encoding: 'utf8' }), '0');
});
