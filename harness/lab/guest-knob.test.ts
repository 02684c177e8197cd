// SPDX-License-Identifier: Apache-2.0
// The guest's half of settings, compiled for the host: files stand for the kernel's.
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';

const AGENT = join(import.meta.dirname, '../../bpf/guest/agent');
const folder = await mkdtemp(join(tmpdir(), 'pmvx-knob-'));
const program = join(folder, 'knob');
test.after.always(() => rm(folder, { recursive: true, force: true }));

/** `knob [--fault TEXT] PATH VALUE READS ...`: activates, shows what an `attached` frame would, restores, shows `after`. */
const MAIN = `
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"

pid_t spawn(const struct argv_list *argv, const char *output, const uint64_t *seed, int hold, int group)
{
	(void)argv, (void)output, (void)seed, (void)hold, (void)group;
	abort();
}

void agent_fail(const char *format, ...)
{
	puts(format);
	exit(9);
}

static void show(const char *kind, const struct orders *orders)
{
	char json[16384];
	int length = knob_members(orders, json, sizeof(json));

	printf("%s {%.*s}\\n", kind, length ? length - 1 : 0, json + 1);
}

int main(int argc, char **argv)
{
	static struct orders orders;
	char fault[REASON_MAX];
	int at = 1;

	if (argc > 2 && !strcmp(argv[1], "--fault")) {
		orders.modules = orders.needed = 1;
		snprintf(orders.module[0].fault, REASON_MAX, "%s", argv[2]);
		at = 3;
	}
	for (; at + 2 < argc; at += 3)
		orders.knob[orders.knobs++] = (struct knob){ argv[at], argv[at + 1], *argv[at + 2] ? argv[at + 2] : NULL };
	if (knob_activate(&orders, fault, sizeof(fault))) {
		printf("refused %s\\n", fault);
		return 1;
	}
	show("attached", &orders);
	knob_read(&orders);
	knob_restore(&orders);
	show("after", &orders);
	return 0;
}
`;

test.before(async () => {
  await writeFile(join(folder, 'main.c'), MAIN);
  const strict = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-Wno-missing-field-initializers'];
  const sources = [
    join(folder, 'main.c'),
    join(AGENT, 'knob.c'),
    join(AGENT, 'frame.c'),
    join(AGENT, 'json.c'),
  ];
  await execa('gcc', [...strict, `-I${AGENT}`, '-o', program, '-xc', ...sources, '-xc', '-'], {
    input: CLOCK,
  });
});

/** What frame.c wants of main.c. */
const CLOCK = `
#include "agent.h"
uint64_t now_ns(void) { return 0; }
void sleep_ns(uint64_t ns) { (void)ns; }
`;

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const knob = (...args: string[]) => execa(program, args, { reject: false });

test('a setting is read, written, read back, and put back', async (t) => {
  const path = await file('holds', '2100000\n');
  const { stdout, exitCode } = await knob(path, '6000000', '');
  t.is(exitCode, 0);
  const [attached, after] = stdout.split('\n').map((line) => JSON.parse(line.replace(/^\w+ /, '')).knobs);
  t.deepEqual(attached, [{ path, before: '2100000', value: '6000000' }]);
  t.deepEqual(after, [{ path, before: '2100000', value: '6000000', restored: '2100000' }]);
  t.is(await readFile(path, 'utf8'), '2100000\n');
});

test('of a list with one choice in brackets the choice is read, and written back', async (t) => {
  const path = await file('choice', 'always [madvise] never\n');
  const { stdout } = await knob(path, 'xxxxxxx', 'madvise');
  const [attached, after] = stdout.split('\n').map((line) => JSON.parse(line.replace(/^\w+ /, '')).knobs);
  t.deepEqual(attached, [{ path, before: 'madvise', value: 'madvise' }]);
  t.is(after[0].before, 'madvise');
  t.is(await readFile(path, 'utf8'), 'madvise[madvise] never\n', 'a file keeps what the kernel would not');
});

test('when one setting does not take, those before it are put back, and the reason has path, wanted and read', async (t) => {
  const first = await file('first', 'cubic\n');
  // What is written here stays, beside what was there: as in the kernel, reading tells.
  const second = await file('second', 'abc longer\n');
  const { stdout, exitCode } = await knob(first, 'bbr00', '', second, 'xyz', '');
  t.is(exitCode, 1);
  t.is(stdout, `refused ${second} reads "xyz longer" after "xyz" was written, wanted "xyz"`);
  t.is(await readFile(first, 'utf8'), 'cubic\n');
  t.is(await readFile(second, 'utf8'), 'abc longer\n');
});

test('a setting that cannot be written is refused with the words of the kernel, and what came before it is put back', async (t) => {
  const first = await file('before-full', 'cubic\n');
  const full = join(folder, 'full');
  await symlink('/dev/full', full);
  // /dev/full reads as zeros and takes nothing.
  const { stdout, exitCode } = await knob(first, 'bbr00', '', full, '1', '');
  t.is(exitCode, 1);
  t.is(stdout, `refused ${full} refused "1": No space left on device`);
  t.is(await readFile(first, 'utf8'), 'cubic\n');
});

test('a setting that is not there is refused, and so is one whose module could not be loaded', async (t) => {
  const missing = join(folder, 'missing');
  t.is((await knob(missing, '1', '')).stdout, `refused ${missing} cannot be read: No such file or directory`);
  const path = await file('needs', '1\n');
  const fault = 'module none: modprobe ended with status 1';
  t.is((await knob('--fault', fault, path, '2', '')).stdout, `refused ${fault}`);
  t.is(await readFile(path, 'utf8'), '1\n');
});
