// SPDX-License-Identifier: Apache-2.0
/*
 * --readers processes that read blocks of files in memory, in an order drawn from the seed, and sum up what they read. Each has a file of
 * --mib MiB of its own, written before the start. The kernel copies every block from the page cache.
 *
 * `work_digest` is the sum over all that was read: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long readers, mib, block_kib, reads, seed;

static const struct {
	const char *name;
	long *value;
	long max;
} known[] = {
	{ "readers", &readers, 64 },
	{ "mib", &mib, 4096 },
	{ "block-kib", &block_kib, 1024 },
	{ "reads", &reads, 10000000 },
	{ "seed", &seed, INT_MAX },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void usage(const char *complaint, const char *value)
{
	fprintf(stderr, "page-cache: %s: %s\nusage: page-cache", complaint, value);
	for (int i = 0; i < KNOWN; i++)
		fprintf(stderr, " --%s 1..%ld", known[i].name, known[i].max);
	fprintf(stderr, "\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		char *end;
		int k = 0;

		while (k < KNOWN && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, known[k].name)))
			k++;
		if (k == KNOWN || i + 1 == argc)
			usage("unknown option or no value", argv[i]);
		errno = 0;
		*known[k].value = strtol(argv[i + 1], &end, 10);
		if (errno || *end || *known[k].value < 1 || *known[k].value > known[k].max)
			usage(known[k].name, argv[i + 1]);
	}
	for (int k = 0; k < KNOWN; k++)
		if (!*known[k].value)
			usage("missing option", known[k].name);
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "page-cache: %s: %s\n", what, strerror(error));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64: one well mixed value for each input. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

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

	parse(argc, argv);
	if (mib * 1024 % block_kib)
		usage("a file must be whole blocks", "block-kib");
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
