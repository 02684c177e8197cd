// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that attaches a struct_ops when it is told to. Its bpf(BPF_LINK_CREATE) calls come here as seccomp user notifications: the one
 * that would attach a struct_ops is left without an answer until it is let go, any other goes on. By then its programs are loaded and
 * verified, so attaching takes milliseconds. The kernel ends the program when the thread that started it ends.
 */
#define _GNU_SOURCE
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* BPF_STRUCT_OPS, which the headers of older systems lack. */
#define STRUCT_OPS_LINK (BPF_LSM_CGROUP + 1)

#if defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

/* Reads of 1 KiB that empty a pipe. */
#define LAST_READS 64

/* What the child has to say before its program runs. */
struct words {
	int error; /* errno of the step that failed, 0: the listener comes with this */
};

static int install_filter(void)
{
	static struct sock_filter code[] = {
		FIELD(arch),	UNLESS(ARCH, 5),
		FIELD(nr),	UNLESS(SYS_bpf, 3),
		FIELD(args[0]), UNLESS(BPF_LINK_CREATE, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void say(int socket, int error, int listener)
{
	struct words words = { error };
	struct iovec data = { &words, sizeof(words) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (listener >= 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &listener, sizeof(int));
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* The errno in a message, and the descriptor that came with it or -1; ECONNRESET when the other side has gone. */
static int hear(int socket, int *listener)
{
	struct words words;
	struct iovec data = { &words, sizeof(words) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t length;

	*listener = -1;
	do {
		length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	if (length != sizeof(words))
		return ECONNRESET;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(listener, CMSG_DATA(&control.head), sizeof(int));
	return words.error;
}

/* The program gets no descriptor of this process but 0, 1 and 2: an errno. */
static int close_at_exec(void)
{
	struct rlimit most;

	if (!syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		return 0;
	/* Kernels before 5.11, and containers that do not know the call. */
	if (getrlimit(RLIMIT_NOFILE, &most))
		return errno;
	for (rlim_t fd = STDERR_FILENO + 1; fd < most.rlim_cur; fd++)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/* In the child: nothing but system calls, for the process that it is a copy of has other threads. */
static void become(char **argv, int socket, int output, pid_t parent)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int listener, nothing, error;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	error = close_at_exec();
	if (error) {
		say(socket, error, -1);
		_exit(127);
	}
	/* Its parent may have ended before it could ask to be told. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
		say(socket, ESRCH, -1);
		_exit(127);
	}
	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
		say(socket, errno, -1);
		_exit(127);
	}
	listener = install_filter();
	if (listener < 0) {
		say(socket, errno, -1);
		_exit(127);
	}
	say(socket, 0, listener);
	close(listener);
	execve(argv[0], argv, environ);
	/* The other side reads on until the program runs, which closes the socket. */
	say(socket, errno, -1);
	_exit(127);
}

static bool attaches(const struct seccomp_notif *call)
{
	uint32_t type;
	struct iovec here = { &type, sizeof(type) };
	struct iovec there = { (char *)(uintptr_t)call->data.args[1] + offsetof(union bpf_attr, link_create.attach_type), sizeof(type) };

	return process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0) == sizeof(type) && type == STRUCT_OPS_LINK;
}

static void let_go(const struct held *held, uint64_t notification)
{
	struct seccomp_notif_resp answer = { .id = notification, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	/* It fails when the caller has gone meanwhile; that shows as its end. */
	ioctl(held->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void take_call(struct held *held)
{
	struct seccomp_notif call = { 0 };
	bool keep;

	if (ioctl(held->listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	keep = attaches(&call);
	pthread_mutex_lock(&held->lock);
	keep = keep && held->stage < HELD_RELEASED;
	if (keep) {
		held->stage = HELD_WAITING;
		held->notification = call.id;
	}
	pthread_mutex_unlock(&held->lock);
	if (!keep)
		let_go(held, call.id);
}

/* Keeps the end of what it says; false when nobody can say any more. */
static bool take_words(struct held *held)
{
	char said[1024];
	ssize_t length = read(held->output, said, sizeof(said));
	size_t drop;

	if (length <= 0)
		return length < 0 && (errno == EINTR || errno == EAGAIN);
	pthread_mutex_lock(&held->lock);
	drop = held->length + (size_t)length > HELD_WORDS ? held->length + (size_t)length - HELD_WORDS : 0;
	memmove(held->words, held->words + drop, held->length - drop);
	held->length -= drop;
	memcpy(held->words + held->length, said, (size_t)length);
	held->length += (size_t)length;
	pthread_mutex_unlock(&held->lock);
	return true;
}

/* Reaps it under the lock, so that whoever signals it under the lock signals nobody else. */
static void note_end(struct held *held)
{
	int status = 0;

	pthread_mutex_lock(&held->lock);
	if (waitpid(held->pid, &status, WNOHANG) == held->pid) {
		held->stage = HELD_ENDED;
		held->status = status;
	}
	pthread_mutex_unlock(&held->lock);
}

/* What is in the pipe once the program has ended: no more than the pipe holds, for what it started may write on. */
static void take_last_words(struct held *held)
{
	struct pollfd more = { held->output, POLLIN, 0 };

	for (int i = 0; i < LAST_READS && poll(&more, 1, 0) > 0 && take_words(held); i++)
		;
}

/* Answers calls and hears words until the program has ended, and with it all that it started. */
static void *serve(void *data)
{
	struct held *held = data;
	struct pollfd fds[] = { { held->listener, POLLIN, 0 }, { held->end, POLLIN, 0 }, { held->output, POLLIN, 0 } };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		/* All three in turn: a program that never stops talking keeps neither its call nor its end waiting. */
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN)
			take_call(held);
		else if (fds[0].revents)
			fds[0].fd = -1;
		if (fds[2].revents && !take_words(held))
			fds[2].fd = -1;
		if (fds[1].revents) {
			/* The last words tell why it ended. */
			if (fds[2].fd >= 0)
				take_last_words(held);
			note_end(held);
			fds[1].fd = -1;
		}
	}
	held_unref(held);
	return NULL;
}

void held_unref(struct held *held)
{
	if (__atomic_sub_fetch(&held->references, 1, __ATOMIC_ACQ_REL))
		return;
	if (held->listener >= 0)
		close(held->listener);
	if (held->output >= 0)
		close(held->output);
	if (held->end >= 0)
		close(held->end);
	pthread_mutex_destroy(&held->lock);
	free(held);
}

struct held *held_start(char **argv)
{
	struct held *held = calloc(1, sizeof(*held));
	int sockets[2], output[2], error, more, ignored;
	pthread_attr_t detached;
	pid_t parent = getpid();
	pthread_t thread;

	if (!held || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		free(held);
		return NULL;
	}
	if (pipe2(output, O_CLOEXEC)) {
		error = errno;
		close(sockets[0]);
		close(sockets[1]);
		free(held);
		errno = error;
		return NULL;
	}
	held->references = 2;
	held->listener = -1;
	held->end = -1;
	held->output = output[0];
	pthread_mutex_init(&held->lock, NULL);
	held->pid = fork();
	if (!held->pid)
		become(argv, sockets[1], output[1], parent);
	close(sockets[1]);
	close(output[1]);
	error = held->pid < 0 ? errno : hear(sockets[0], &held->listener);
	/* A descriptor that finds no room here is dropped by the kernel without a word. */
	if (!error && held->listener < 0)
		error = EMFILE;
	/* Once the program runs, its end of the socket is closed: nothing more is said. */
	if (!error && (more = hear(sockets[0], &ignored)) != ECONNRESET)
		error = more;
	close(sockets[0]);
	/* Without it nobody would see the program end. */
	if (!error && (held->end = (int)syscall(SYS_pidfd_open, held->pid, 0)) < 0)
		error = errno;
	if (!error) {
		pthread_attr_init(&detached);
		pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		error = pthread_create(&thread, &detached, serve, held);
		pthread_attr_destroy(&detached);
	}
	if (error) {
		if (held->pid > 0) {
			kill(held->pid, SIGKILL);
			waitpid(held->pid, NULL, 0);
		}
		held->references = 1;
		held_unref(held);
		errno = error;
		return NULL;
	}
	return held;
}

void held_release(struct held *held)
{
	uint64_t notification = 0;

	pthread_mutex_lock(&held->lock);
	if (held->stage == HELD_WAITING)
		notification = held->notification;
	if (held->stage < HELD_RELEASED)
		held->stage = HELD_RELEASED;
	pthread_mutex_unlock(&held->lock);
	if (notification)
		let_go(held, notification);
}

bool held_kill(struct held *held, int signal)
{
	bool sent = false;

	pthread_mutex_lock(&held->lock);
	if (held->stage != HELD_ENDED)
		sent = !kill(held->pid, signal);
	pthread_mutex_unlock(&held->lock);
	return sent;
}
