// SPDX-License-Identifier: Apache-2.0
/*
 * Load for memcached: --clients threads with a connection each, one request under way, --requests in all. Kind (one set in ten), key (of
 * 1000) and size of every request are drawn from the seed. Every answer is checked. Times from a request to its answer as percentile and
 * distribution.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 11211
#define KEYS 1000
#define LARGEST 65536

static long clients, requests, bytes, seed;
static const struct {
	const char *name;
	long *value;
	long max;
} known[] = {
	{ "clients", &clients, 256 },
	{ "requests", &requests, 100000000 },
	{ "bytes", &bytes, LARGEST },
	{ "seed", &seed, INT_MAX },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static uint64_t *latency_ns;
static pthread_barrier_t gate;

static void fail(const char *what)
{
	fprintf(stderr, "memcached-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		char *end;
		int k = 0;

		while (k < KNOWN && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, known[k].name)))
			k++;
		if (k < KNOWN && i + 1 < argc)
			*known[k].value = strtol(argv[i + 1], &end, 10);
		if (k == KNOWN || i + 1 == argc || *end || *known[k].value < 1 || *known[k].value > known[k].max) {
			fprintf(stderr, "memcached-load: bad option %s\n", argv[i]);
			exit(2);
		}
	}
	for (int k = 0; k < KNOWN; k++) {
		if (!*known[k].value) {
			fprintf(stderr, "memcached-load: missing option --%s\n", known[k].name);
			exit(2);
		}
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int connect_to_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(fd, data, length);

		if (done <= 0)
			fail("write");
		data += done;
		length -= (size_t)done;
	}
}

/* Reads until the answer ends as `ending` says; what is in it does not matter, that it is whole does. */
static void read_answer(int fd, char *buffer, size_t size, const char *ending, const char *other)
{
	size_t length = 0;

	for (;;) {
		ssize_t done = read(fd, buffer + length, size - length - 1);

		if (done <= 0)
			fail("read");
		length += (size_t)done;
		buffer[length] = '\0';
		if (length >= strlen(ending) && !strcmp(buffer + length - strlen(ending), ending))
			return;
		if (other && !strcmp(buffer, other))
			return;
		if (!strncmp(buffer, "ERROR", 5) || !strncmp(buffer, "SERVER_ERROR", 12) || length + 1 >= size) {
			errno = EPROTO;
			fail("answer");
		}
	}
}

static void request(int fd, uint64_t draw, char *buffer, size_t size)
{
	unsigned int key = (unsigned int)(mix(draw) % KEYS);
	int head;

	if (draw % 10) {
		head = snprintf(buffer, size, "get k%u\r\n", key);
		send_all(fd, buffer, (size_t)head);
		read_answer(fd, buffer, size, "END\r\n", NULL);
		return;
	}
	size_t length = (size_t)bytes - (size_t)bytes / 2 + mix(draw + 1) % ((size_t)bytes + 1);

	head = snprintf(buffer, size, "set k%u 0 0 %zu\r\n", key, length);
	memset(buffer + head, 'v', length);
	memcpy(buffer + head + length, "\r\n", 2);
	send_all(fd, buffer, (size_t)head + length + 2);
	read_answer(fd, buffer, size, "STORED\r\n", NULL);
}

static void *client(void *argument)
{
	long self = (long)(intptr_t)argument;
	size_t size = 2 * LARGEST + 4096;
	char *buffer = malloc(size);
	int fd = connect_to_server();

	if (!buffer)
		fail("memory");
	pthread_barrier_wait(&gate);
	for (long i = self; i < requests; i += clients) {
		uint64_t begin = now_ns();

		request(fd, mix(mix((uint64_t)seed) + (uint64_t)i), buffer, size);
		latency_ns[i] = now_ns() - begin;
	}
	close(fd);
	free(buffer);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * The distribution of sorted values, a line for each bucket that is not empty: its least value in microseconds, and its count. A
 * bucket is at most 1/32 wide; they are those of harness/core/histogram.ts.
 */
static void print_histogram(const char *name, const uint64_t *sorted_ns, size_t count)
{
	for (size_t i = 0, first = 0; i < count; first = i) {
		uint64_t width = 1, least;

		while (sorted_ns[i] / width >= 64)
			width *= 2;
		least = sorted_ns[i] / width * width;
		while (i < count && sorted_ns[i] < least + width)
			i++;
		printf("%s_hist %.3f %zu\n", name, (double)least / 1000, i - first);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread[256];
	uint64_t begin, end;

	parse(argc, argv);
	latency_ns = calloc((size_t)requests, sizeof(*latency_ns));
	if (!latency_ns)
		fail("memory");
	pthread_barrier_init(&gate, NULL, (unsigned int)clients + 1);
	for (long i = 0; i < clients; i++) {
		errno = pthread_create(&thread[i], NULL, client, (void *)(intptr_t)i);
		if (errno)
			fail("pthread_create");
	}
	begin = now_ns();
	pthread_barrier_wait(&gate);
	for (long i = 0; i < clients; i++)
		pthread_join(thread[i], NULL);
	end = now_ns();
	qsort(latency_ns, (size_t)requests, sizeof(*latency_ns), by_value);
	printf("rate %.3f requests/s\n", (double)requests * 1e9 / (double)(end - begin));
	printf("latency_p99 %.3f us\n", (double)latency_ns[((size_t)requests * 99 + 99) / 100 - 1] / 1000);
	print_histogram("latency", latency_ns, (size_t)requests);
	return 0;
}
