// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's random numbers, made a function of the seed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent.h"

#define WORDS_MAX 8

/* SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring seeds. */
uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void feed(uint64_t from, size_t words, bool reseed)
{
	struct {
		int bits;
		int bytes;
		uint64_t word[WORDS_MAX];
	} pool = { .bits = (int)words * 64, .bytes = (int)words * 8 };
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	_Static_assert(offsetof(typeof(pool), word) == sizeof(struct rand_pool_info), "as the kernel has it");
	for (size_t i = 0; i < words; i++)
		pool.word[i] = mix(from ^ mix(i + 1));
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) || (reseed && ioctl(fd, RNDRESEEDCRNG)))
		agent_fail("random number generator: %s", strerror(errno));
	close(fd);
}

/*
 * Constants, counted as entropy: the exact machine has no rdrand, because what that gives after a restore is not what it would
 * have given without. Nothing may wait for the generator, and nothing here is secret.
 */
void random_boot(void)
{
	feed(0, 8, false);
}

/* From here on getrandom() and address space layouts follow the seed. */
void random_seed(uint64_t seed)
{
	feed(seed, 4, true);
}
