// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';

const ROOT = resolve(import.meta.dirname, '..');

/** Licence of each part; the longest of these prefixes counts. */
const LICENCES: Readonly<Record<string, string>> = {
  '': 'Apache-2.0',
  'bpf/': 'GPL-2.0-only',
  'harness/lab/plugin/': 'GPL-2.0-or-later',
};

/** What of a source cannot say its licence: the content itself is what is tested. */
const EXEMPT = /^harness\/spec\/(?:good|bad)\//;

const SOURCES =
  '{harness,analysis,paper-figs,workloads,vm-images,bpf,results}/**/{*.{ts,js,cjs,mjs,c,h,S,sh,py,yaml},Kbuild,Makefile}';

function sources(): string[] {
  const found = globSync(SOURCES, {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules') || path.startsWith('results/runs'),
  });
  return [...found, 'pmvx', '.ci/run'].filter((path) => !EXEMPT.test(path)).sort();
}

function licenceOf(path: string): string {
  const prefix = Object.keys(LICENCES)
    .filter((each) => path.startsWith(each))
    .sort((a, b) => b.length - a.length)[0];
  return LICENCES[prefix as string] as string;
}

/** The first line, or the one below `#!`, in the comment of the language. */
function declaredLicence(text: string): string | undefined {
  const [first = '', second = ''] = text.split('\n');
  const line = first.startsWith('#!') ? second : first;
  return /^(?:\/\/|#|\/\*) SPDX-License-Identifier: ([\w.-]+)(?: \*\/)?$/.exec(line)?.[1];
}

test('every source begins with the licence of its folder', (t) => {
  const all = sources();
  t.true(all.length > 200, `${all.length} sources were found`);
  const wrong = all.flatMap((path) => {
    const declared = declaredLicence(readFileSync(join(ROOT, path), 'utf8'));
    return declared === licenceOf(path) ? [] : [`${path}: ${declared ?? 'none'}, not ${licenceOf(path)}`];
  });
  t.deepEqual(wrong, []);
});

test('each licence that a file names is there as a text', (t) => {
  const text = (path: string) => readFileSync(join(ROOT, path), 'utf8').replace(/\s+/g, ' ');
  t.regex(text('LICENSE'), /^ Apache License Version 2\.0, January 2004 .*END OF TERMS AND CONDITIONS/);
  const gpl = /GNU GENERAL PUBLIC LICENSE Version 2, June 1991 .*END OF TERMS AND CONDITIONS/;
  t.regex(text('bpf/LICENSE'), gpl);
  t.regex(text('harness/lab/plugin/LICENSE'), gpl);
  t.regex(text('harness/lab/plugin/LICENSE'), /^Licence of the files in this folder: GPL-2\.0-or-later\. /);
});

test('a licence counts only at the top and whole', (t) => {
  t.is(declaredLicence('#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n'), 'Apache-2.0');
  t.is(declaredLicence('/* SPDX-License-Identifier: GPL-2.0-only */\n'), 'GPL-2.0-only');
  t.is(declaredLicence('import x;\n// SPDX-License-Identifier: Apache-2.0\n'), undefined);
  t.is(declaredLicence('// SPDX-License-Identifier: Apache-2.0 OR MIT\n'), undefined);
});
