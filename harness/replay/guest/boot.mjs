// SPDX-License-Identifier: Apache-2.0
// boot.mjs ARCHIVE ENTRY ARG...: unpacks the project's code in the guest and runs ENTRY of it. The archive is JSON: `root`, a folder;
// `files`, texts by path; `links`, targets by path. Types were stripped on the host, where that costs nothing: compiling Node's own
// stripper takes a virtual second here.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [archive, entry, ...args] = process.argv.slice(2);
const { root, files, links } = JSON.parse(readFileSync(archive, 'utf8'));
const unpacked = join(root, 'unpacked');
// A program that is started again finds all as it was.
if (!existsSync(unpacked)) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  writeFileSync(unpacked, '');
}
registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: readFileSync(fileURLToPath(url), 'utf8'), shortCircuit: true };
  },
});
process.argv = [process.argv[0], join(root, entry), ...args];
await import(pathToFileURL(join(root, entry)).href);
