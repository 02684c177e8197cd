// SPDX-License-Identifier: Apache-2.0
/*
 * Load for memcached: --clients threads with a connection each, one request under way, --requests in all. Kind (one set in ten), key (of
 * 1000) and size of every request are drawn from the seed. Every answer is checked. Times from a request to its answer as percentile and
 * distribution.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../driver.h"

#define PORT 11211
#define KEYS 1000
#define LARGEST 65536

static long clients, requests, bytes, seed;
static const struct option known[] = {
	{ "clients", &clients, 256, NULL },
	{ "requests", &requests, 100000000, NULL },
	{ "bytes", &bytes, LARGEST, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static uint64_t *latency_ns;
static pthread_barrier_t gate;

static int connect_to_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("connect", errno);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(fd, data, length);

		if (done <= 0)
			fail("write", errno);
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
			fail("read", errno);
		length += (size_t)done;
		buffer[length] = '\0';
		if (length >= strlen(ending) && !strcmp(buffer + length - strlen(ending), ending))
			return;
		if (other && !strcmp(buffer, other))
			return;
		if (!strncmp(buffer, "ERROR", 5) || !strncmp(buffer, "SERVER_ERROR", 12) || length + 1 >= size) {
			fail("answer", EPROTO);
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
		fail("memory", ENOMEM);
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

int main(int argc, char **argv)
{
	pthread_t thread[256];
	uint64_t begin, end;

	parse(argc, argv, known, KNOWN);
	latency_ns = zeroed((size_t)requests, sizeof(*latency_ns));
	pthread_barrier_init(&gate, NULL, (unsigned int)clients + 1);
	for (long i = 0; i < clients; i++) {
		int error = pthread_create(&thread[i], NULL, client, (void *)(intptr_t)i);

		if (error)
			fail("pthread_create", error);
	}
	begin = now_ns();
	pthread_barrier_wait(&gate);
	for (long i = 0; i < clients; i++)
		pthread_join(thread[i], NULL);
	end = now_ns();
	qsort(latency_ns, (size_t)requests, sizeof(*latency_ns), by_value);
	printf("rate %.3f requests/s\n", (double)requests * 1e9 / (double)(end - begin));
	printf("latency_p99 %.3f us\n", percentile_us(latency_ns, (size_t)requests, 990));
	print_histogram("latency", latency_ns, (size_t)requests);
	return 0;
}
