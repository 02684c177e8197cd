// SPDX-License-Identifier: Apache-2.0
/*
 * --readers processes that read blocks of files in memory, in an order drawn from the seed, and sum up what they read. Each has a file of
 * --mib MiB of its own, written before the start. The kernel copies every block from the page cache.
 *
 * `work_digest` is the sum over all that was read: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../driver.h"

static long readers, mib, block_kib, reads, seed;

static const struct option known[] = {
	{ "readers", &readers, 64, NULL },
	{ "mib", &mib, 4096, NULL },
	{ "block-kib", &block_kib, 1024, NULL },
	{ "reads", &reads, 10000000, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void name_file(char *name, size_t size, long reader)
{
	snprintf(name, size, "/tmp/page-cache.%ld.%ld", (long)getppid(), reader);
}

static int make_file(long reader)
{
	size_t block = (size_t)block_kib * 1024, blocks = (size_t)mib * 1024 / (size_t)block_kib;
	uint64_t *data = malloc(block);
	char name[64];
	int fd;

	name_file(name, sizeof(name), reader);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !data)
		fail(name, errno);
	/* It goes with its last reader. */
	unlink(name);
	for (size_t i = 0; i < blocks; i++) {
		for (size_t word = 0; word < block / 8; word += 64)
			data[word] = mix((uint64_t)seed + (uint64_t)reader * 1000003u + i * 8191 + word);
		if (write(fd, data, block) != (ssize_t)block)
			fail("write", errno);
	}
	free(data);
	return fd;
}

/* Made, then told to begin by a byte, then done: the digest goes to `result`. */
static void read_blocks(long reader, int go, int ready, int result)
{
	size_t block = (size_t)block_kib * 1024, blocks = (size_t)mib * 1024 / (size_t)block_kib;
	uint64_t *data = malloc(block), digest = 0;
	int fd = make_file(reader);
	char byte = 0;

	if (!data || write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		fail("start", errno);
	for (long i = 0; i < reads; i++) {
		uint64_t draw = mix(mix((uint64_t)seed + (uint64_t)reader) + (uint64_t)i);

		if (pread(fd, data, block, (off_t)(draw % blocks * block)) != (ssize_t)block)
			fail("read", errno);
		for (size_t word = 0; word < block / 8; word += 64)
			digest += data[word];
	}
	if (write(result, &digest, sizeof(digest)) != sizeof(digest))
		fail("result", errno);
	_exit(0);
}

int main(int argc, char **argv)
{
	int go[2], ready[2], result[2], status;
	uint64_t begin, elapsed, part, digest = 0;
	char bytes[64] = { 0 };

	parse(argc, argv, known, KNOWN);
	if (mib * 1024 % block_kib)
		usage(known, KNOWN, "a file must be whole blocks", "block-kib");
	if (pipe(go) || pipe(ready) || pipe(result))
		fail("pipe", errno);
	for (long i = 0; i < readers; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork", errno);
		if (!child)
			read_blocks(i, go[0], ready[1], result[1]);
	}
	/* A reader that fails closes nothing of ours, so its end is noticed by waiting, not by reading. */
	close(ready[1]);
	close(result[1]);
	for (long i = 0; i < readers; i++) {
		if (read(ready[0], bytes, 1) != 1)
			fail("a reader", ECHILD);
	}
	begin = now_ns();
	if (write(go[1], bytes, (size_t)readers) != readers)
		fail("start", errno);
	for (long i = 0; i < readers; i++) {
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			fail("a reader", ECHILD);
	}
	elapsed = now_ns() - begin;
	for (long i = 0; i < readers; i++) {
		if (read(result[0], &part, sizeof(part)) != sizeof(part))
			fail("result", errno);
		digest += part;
	}
	printf("rate %.3f MiB/s\n", (double)(readers * reads) * (double)block_kib / 1024 * 1e9 / (double)elapsed);
	printf("time %.6f s\n", (double)elapsed / 1e9);
	printf("work_digest %016llx hex\n", (unsigned long long)mix(digest));
	return 0;
}
