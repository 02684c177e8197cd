// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a known number of events of each kind, so that counters can be checked: known-events KIND=NUMBER ...
 *
 * It begins when it has read a byte from its standard input, or its end. `block` reads the device named by the argument device=PATH.
 * It ends with status 1 and a word when anything goes otherwise than it should.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define BLOCK 4096

static const char *device;

static void must(int is_true, const char *what)
{
	if (is_true)
		return;
	perror(what);
	exit(1);
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static void be_fifo(int priority)
{
	struct sched_param parameter = { .sched_priority = priority };

	must(!sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &parameter), "sched_setscheduler");
}

/* Each a write fault of user mode on a page that is not there. */
static void faults(int number)
{
	size_t length = (size_t)(number + 1) * PAGE;
	char *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(pages != MAP_FAILED, "mmap");
	must(!madvise(pages, length, MADV_NOHUGEPAGE), "madvise");
	for (int i = 0; i < number; i++)
		((volatile char *)pages)[(size_t)i * PAGE] = 1;
	munmap(pages, length);
}

static int end(void *unused)
{
	(void)unused;
	return 0;
}

/* Each a process that ends at once; memory is shared, so that nothing is copied at a fault. */
static void forks(int number)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));

	for (int i = 0; i < number; i++) {
		pid_t child = clone(end, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

		must(child > 0 && waitpid(child, NULL, 0) == child, "clone");
	}
}

static int handover_pipe[2], ready_pipe[2], handovers;

/* More important than its waker, on the same CPU: runs as soon as it is woken, and sleeps again before its waker goes on. */
static void *take_over(void *unused)
{
	char byte;

	be_fifo(3);
	must(write(ready_pipe[1], "", 1) == 1, "write");
	for (int i = 0; i < handovers; i++)
		must(read(handover_pipe[0], &byte, 1) == 1, "read");
	return unused;
}

/* Each one synchronous wake-up of a thread, which sleeps in read, and one switch away from a task that could run on. */
static void handover(int number)
{
	pthread_t taker;
	char byte;

	handovers = number + 1;
	pin_to(0);
	be_fifo(2);
	must(!pipe(handover_pipe) && !pipe(ready_pipe), "pipe");
	must(!pthread_create(&taker, NULL, take_over, NULL), "pthread_create");
	must(read(ready_pipe[0], &byte, 1) == 1, "read");
	for (int i = 0; i < handovers; i++)
		must(write(handover_pipe[1], "", 1) == 1, "write");
	must(!pthread_join(taker, NULL), "pthread_join");
	close(handover_pipe[0]);
	close(handover_pipe[1]);
	close(ready_pipe[0]);
	close(ready_pipe[1]);
	be_fifo(0);
}

static void naps(int number)
{
	struct timespec nap = { 0, 100000 };

	for (int i = 0; i < number; i++)
		must(!nanosleep(&nap, NULL), "nanosleep");
}

/* Each a move to the other CPU. */
static void moves(int number)
{
	for (int i = 0; i <= number; i++)
		pin_to(i % 2);
}

/* Each one send of 10 bytes and one receive. */
static void local(int number)
{
	char bytes[10] = "";
	int ends[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	for (int i = 0; i < number; i++) {
		must(send(ends[0], bytes, sizeof(bytes), 0) == sizeof(bytes), "send");
		must(recv(ends[1], bytes, sizeof(bytes), 0) == sizeof(bytes), "recv");
	}
	close(ends[0]);
	close(ends[1]);
}

static int bound_socket(int type, struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, type, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(fd >= 0 && !bind(fd, (struct sockaddr *)address, length) && !getsockname(fd, (struct sockaddr *)address, &length),
	     "bind");
	return fd;
}

/* Each one packet of 20 bytes over the loopback, one send and one receive. */
static void datagrams(int number)
{
	struct sockaddr_in address;
	int fd = bound_socket(SOCK_DGRAM, &address);
	char bytes[20] = "";

	for (int i = 0; i < number; i++) {
		must(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&address, sizeof(address)) == sizeof(bytes), "sendto");
		must(recv(fd, bytes, sizeof(bytes), 0) == sizeof(bytes), "recv");
	}
	close(fd);
}

/* Each one connection: two sockets become established. */
static void connections(int number)
{
	struct sockaddr_in address;
	int fd = bound_socket(SOCK_STREAM, &address);

	must(!listen(fd, 8), "listen");
	for (int i = 0; i < number; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server;

		must(!connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
		server = accept(fd, NULL, NULL);
		must(server >= 0, "accept");
		close(client);
		close(server);
	}
	close(fd);
}

/* Each one request of 4096 bytes to the device. */
static void block(int number)
{
	void *buffer;
	int fd;

	if (!number)
		return;
	fd = open(device, O_RDONLY | O_DIRECT);
	must(fd >= 0 && !posix_memalign(&buffer, BLOCK, BLOCK), device);
	for (int i = 0; i < number; i++)
		must(pread(fd, buffer, BLOCK, (off_t)i * BLOCK) == BLOCK, "pread");
	free(buffer);
	close(fd);
}

/* Each one system call of five classes. */
static void calls(int number)
{
	int fd = open("/dev/null", O_WRONLY), waiter = epoll_create1(0);
	struct epoll_event event;
	unsigned int word = 0;

	for (int i = 0; i < number; i++) {
		must(write(fd, "", 1) == 1, "write");
		must(!syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), "futex");
		must(!epoll_wait(waiter, &event, 1, 0), "epoll_wait");
		must(!poll(NULL, 0, 0), "poll");
		must(syscall(SYS_getppid) > 0, "getppid");
	}
	close(fd);
	close(waiter);
}

static const struct {
	const char *name;
	void (*run)(int number);
} kinds[] = {
	{ "faults", faults }, { "forks", forks },	  { "handover", handover },	  { "naps", naps },   { "moves", moves },
	{ "local", local },   { "datagrams", datagrams }, { "connections", connections }, { "block", block }, { "calls", calls },
};

int main(int argc, char **argv)
{
	char byte;

	if (read(0, &byte, 1) < 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		char *number = strchr(argv[i], '=');
		size_t kind = 0;

		if (!number)
			return 2;
		*number++ = '\0';
		if (!strcmp(argv[i], "device")) {
			device = number;
			continue;
		}
		while (kind < sizeof(kinds) / sizeof(*kinds) && strcmp(kinds[kind].name, argv[i]))
			kind++;
		if (kind == sizeof(kinds) / sizeof(*kinds))
			return 2;
		kinds[kind].run(atoi(number));
	}
	return 0;
}
