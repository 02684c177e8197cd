// SPDX-License-Identifier: Apache-2.0
/*
 * Load for a memcached server on 127.0.0.1:11211. First all keys are set. Then
 * each of --connections sends its share of --requests, one at a time: what they
 * are, key, get or set, depends on the options alone, and so does every answer.
 * An answer that differs from what it must be in one byte ends the run.
 *
 *   latency           from before a request is written to after the last byte
 *                     of its answer is read
 *
 * Percentiles are exact (nearest rank). `work_digest` is of all requests.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 11211
#define SIZE_MAX_MEAN 2048
#define TEXT (64 * 1024) /* values are pieces of it */
#define MESSAGE_MAX (2 * SIZE_MAX_MEAN + 128)

struct connection {
	int fd;
	long requests, done;
	uint64_t key; /* of its sequence of draws */
	uint64_t digest;
	uint64_t sent_ns;
	uint64_t *latency_ns;
	size_t expected, got;
	char answer[MESSAGE_MAX];
};

static long threads, connections, requests, keys, value_size, set_percent, seed;

static const struct {
	const char *name;
	long *value;
	long max;
} known[] = {
	{ "threads", &threads, 8 },
	{ "connections", &connections, 512 },
	{ "requests", &requests, 10000000 },
	{ "keys", &keys, 20000 },
	{ "value-size", &value_size, SIZE_MAX_MEAN },
	{ "set-percent", &set_percent, 99 },
	{ "seed", &seed, INT_MAX },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static struct connection *all; /* number i belongs to thread i modulo their number */
static char text[TEXT];
static pthread_barrier_t gate; /* passed when all keys are set */

static void usage(const char *complaint, const char *value)
{
	fprintf(stderr, "memcached: %s: %s\nusage: memcached", complaint, value);
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
	if (threads > connections || connections > requests)
		usage("too small", threads > connections ? "--connections" : "--requests");
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "memcached: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
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

/* A key's value is always the same: half to one and a half of --value-size, from a place of its own in `text`. */
static size_t size_of(uint64_t key)
{
	uint64_t mean = (uint64_t)value_size;

	return mean - mean / 2 + mix(mix((uint64_t)seed) + key) % (mean + 1);
}

static const char *value_of(uint64_t key)
{
	return text + mix((uint64_t)seed + key) % (TEXT - MESSAGE_MAX);
}

static void write_all(int fd, const char *from, size_t length)
{
	while (length) {
		ssize_t n = send(fd, from, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			fail("send: %s", strerror(errno));
		if (n > 0)
			from += n, length -= (size_t)n;
	}
}

static size_t put_set(char *to, uint64_t key, const char *option)
{
	size_t size = size_of(key), length;

	length = (size_t)sprintf(to, "set key-%05llu 0 0 %zu%s\r\n", (unsigned long long)key, size, option);
	memcpy(to + length, value_of(key), size);
	memcpy(to + length + size, "\r\n", 2);
	return length + size + 2;
}

static void expect_value(struct connection *c, uint64_t key)
{
	size_t size = size_of(key), length;

	length = (size_t)sprintf(c->answer, "VALUE key-%05llu 0 %zu\r\n", (unsigned long long)key, size);
	memcpy(c->answer + length, value_of(key), size);
	memcpy(c->answer + length + size, "\r\nEND\r\n", 7);
	c->expected = length + size + 7;
}

static void expect_text(struct connection *c, const char *line)
{
	c->expected = strlen(line);
	memcpy(c->answer, line, c->expected);
}

/* Reads what is there; true when the answer is complete. */
static int read_answer(struct connection *c)
{
	char got[MESSAGE_MAX];
	ssize_t n = recv(c->fd, got, sizeof(got) - 1, 0);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		fail("recv: %s", strerror(errno));
	if (!n)
		fail("the server closed a connection");
	if (c->got + (size_t)n > c->expected || memcmp(got, c->answer + c->got, (size_t)n)) {
		got[n] = 0;
		fail("a wrong answer: %.60s", got);
	}
	c->got += (size_t)n;
	return c->got == c->expected;
}

/* Low keys are asked for more often: key k with a density that falls like 1/sqrt(k). */
static void send_next(struct connection *c)
{
	uint64_t draw = mix(c->key + (uint64_t)c->done);
	uint64_t u = mix(draw) >> 44; /* 20 bits */
	uint64_t key = u * u * (uint64_t)keys >> 40;
	int sets = draw % 100 < (uint64_t)set_percent;
	char message[MESSAGE_MAX];
	size_t length;

	if (sets) {
		length = put_set(message, key, "");
		expect_text(c, "STORED\r\n");
	} else {
		length = (size_t)sprintf(message, "get key-%05llu\r\n", (unsigned long long)key);
		expect_value(c, key);
	}
	c->got = 0;
	c->digest = mix(c->digest + key * 2 + (uint64_t)sets + (size_of(key) << 32));
	c->sent_ns = now_ns();
	write_all(c->fd, message, length);
}

/* Sets the keys of thread `number` without waiting for answers, but for the one that says that all were read. */
static void fill(struct connection *c, long number)
{
	char message[MESSAGE_MAX];

	for (long key = number; key < keys; key += threads)
		write_all(c->fd, message, put_set(message, (uint64_t)key, " noreply"));
	write_all(c->fd, "mn\r\n", 4);
	expect_text(c, "MN\r\n");
	c->got = 0;
	while (!read_answer(c))
		;
}

static void *load(void *argument)
{
	long number = (struct connection *)argument - all, busy = 0;
	int poll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];

	if (poll < 0)
		fail("epoll_create1: %s", strerror(errno));
	for (long i = number; i < connections; i += threads, busy++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };

		if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event))
			fail("epoll_ctl: %s", strerror(errno));
	}
	fill(&all[number], number);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	for (long i = number; i < connections; i += threads)
		send_next(&all[i]);
	while (busy) {
		int n = epoll_wait(poll, events, 64, -1);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (!read_answer(c))
				continue;
			c->latency_ns[c->done++] = now_ns() - c->sent_ns;
			if (c->done < c->requests)
				send_next(c);
			else
				busy--;
		}
	}
	return NULL;
}

static void open_connection(long i)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct connection *c = &all[i];
	int one = 1;

	c->requests = (requests + connections - 1 - i) / connections;
	c->key = mix(mix((uint64_t)seed) + (uint64_t)i);
	c->latency_ns = calloc((size_t)c->requests, sizeof(*c->latency_ns));
	if (!c->latency_ns)
		fail("no memory");
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof(server)))
		fail("connect to 127.0.0.1:%d: %s", PORT, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank, in microseconds. */
static double percentile_us(const uint64_t *sorted, size_t count, int per_mille)
{
	size_t rank = (count * (size_t)per_mille + 999) / 1000;

	return (double)sorted[rank - 1] / 1000;
}

/* A line for each bucket that is not empty: its least value in microseconds, and its count; see harness/core/histogram.ts. */
static void print_histogram(const uint64_t *sorted_ns, size_t count)
{
	for (size_t i = 0, first = 0; i < count; first = i) {
		uint64_t width = 1, least;

		while (sorted_ns[i] / width >= 64)
			width *= 2;
		least = sorted_ns[i] / width * width;
		while (i < count && sorted_ns[i] < least + width)
			i++;
		printf("latency_hist %.3f %zu\n", (double)least / 1000, i - first);
	}
}

static void report(uint64_t elapsed_ns)
{
	uint64_t *sorted = calloc((size_t)requests, sizeof(*sorted)), digest = 0;
	size_t count = 0;

	if (!sorted)
		fail("no memory");
	for (long i = 0; i < connections; i++) {
		memcpy(sorted + count, all[i].latency_ns, (size_t)all[i].requests * sizeof(*sorted));
		count += (size_t)all[i].requests;
		digest += mix(all[i].digest + (uint64_t)i);
	}
	qsort(sorted, count, sizeof(*sorted), by_value);
	printf("throughput %.3f requests/s\n", (double)count * 1e9 / (double)elapsed_ns);
	printf("latency_p50 %.3f us\n", percentile_us(sorted, count, 500));
	printf("latency_p99 %.3f us\n", percentile_us(sorted, count, 990));
	printf("latency_p999 %.3f us\n", percentile_us(sorted, count, 999));
	print_histogram(sorted, count);
	printf("work_digest %016llx hex\n", (unsigned long long)digest);
}

int main(int argc, char **argv)
{
	pthread_t ids[8];
	uint64_t started_ns;

	parse(argc, argv);
	for (uint64_t i = 0; i < TEXT; i++)
		text[i] = (char)('a' + mix((uint64_t)seed * TEXT + i) % 26);
	all = calloc((size_t)connections, sizeof(*all));
	if (!all)
		fail("no memory");
	for (long i = 0; i < connections; i++)
		open_connection(i);
	pthread_barrier_init(&gate, NULL, (unsigned int)threads + 1);
	for (long i = 0; i < threads; i++) {
		int error = pthread_create(&ids[i], NULL, load, &all[i]);

		if (error)
			fail("pthread_create: %s", strerror(error));
	}
	pthread_barrier_wait(&gate);
	started_ns = now_ns();
	pthread_barrier_wait(&gate);
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	report(now_ns() - started_ns);
	return 0;
}
