// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guardian: holds what another process would have in effect, and drops it when that process ends, is silent, or is told to stop.
 *
 * It has no disk, no network, no threads, and asks for no memory once it runs: links of BPF are descriptors that it keeps open, schedulers
 * are pidfds, settings are open files with the value that comes back. What it was given it drops when the other side asks, misses its
 * beats or ends; at SIGTERM, SIGUSR1, or when the kill file appears. Usage: guardian [KILL_FILE], with its socket as descriptor 3.
 */
#define _GNU_SOURCE
#include "../src/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WARDS 64
#define VALUE 256
/* Between SIGINT, at which a scheduler detaches in order, and SIGKILL. */
#define GRACE_MS 150
/* What could not be dropped is tried again so often, */
#define RETRY_MS 500
/* and for so long once nobody is left to be told. */
#define ALONE_MS 30000
#define WATCHDOG_MS 1000
/* That are heard in one go. */
#define MESSAGES 64
/* pidfd_send_signal(2), since Linux 6.9: the whole process group. */
#define PROCESS_GROUP 4

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum ward_kind { FREE, DESCRIPTOR, PROCESS, SETTING };

struct ward {
	enum ward_kind kind;
	uint32_t id;
	int fd;
	bool dropping;
	bool killed;	   /* SIGKILL was sent */
	int64_t next_ms;   /* when it is looked at again */
	char before[VALUE];
	char ours[VALUE];
};

static struct ward wards[WARDS]; /* in the order in which they came */
static int count;
static int peer = GUARDIAN_SOCKET;
static int notify = -1;
static struct sockaddr_un manager;
static socklen_t manager_size;
static bool latched, ending;
static int64_t beat_until_ms, watchdog_ms, alone_until_ms;
static const char *kill_name;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Never waits: whoever does not listen is not told. */
static void say(enum guardian_answer kind, uint32_t id, int value, const char *text)
{
	struct guardian_message message = { .kind = kind, .id = id, .value = value };

	if (peer < 0)
		return;
	message.length = (uint32_t)strnlen(text, GUARDIAN_TEXT);
	memcpy(message.text, text, message.length);
	send(peer, &message, GUARDIAN_HEAD + message.length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell_manager(const char *text, size_t length)
{
	if (notify >= 0)
		sendto(notify, text, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&manager, manager_size);
}

/* Of a list with one choice in brackets the choice, else the first line, without the space around it. */
static void plain_value(char *text)
{
	char *end = strchr(text, '\n'), *open, *shut, *from = text;
	size_t length;

	if (end)
		*end = 0;
	open = strchr(text, '[');
	shut = open ? strchr(open, ']') : NULL;
	if (shut) {
		*shut = 0;
		from = open + 1;
	}
	while (*from == ' ' || *from == '\t')
		from++;
	length = strlen(from);
	while (length && (from[length - 1] == ' ' || from[length - 1] == '\t'))
		length--;
	memmove(text, from, length);
	text[length] = 0;
}

/* A file that has no places, as those of debugfs, is read from its beginning only by who opens it anew. */
static int open_anew(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static int read_value(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	if (length < 0 && errno == ESPIPE) {
		int anew = open_anew(fd), error;

		if (anew < 0)
			return errno;
		length = read(anew, text, size - 1);
		error = errno;
		close(anew);
		errno = error;
	}
	if (length < 0)
		return errno;
	text[length] = 0;
	plain_value(text);
	return 0;
}

/* What reads otherwise than it was left is somebody else's by now, and stays. */
static int restore(const struct ward *ward)
{
	size_t length = strlen(ward->before);
	ssize_t written;
	char now[4096];
	int error = read_value(ward->fd, now, sizeof(now));

	if (error)
		return error;
	if (strcmp(now, ward->ours) || !strcmp(ward->ours, ward->before))
		return 0;
	errno = 0;
	written = pwrite(ward->fd, ward->before, length, 0);
	if (written < 0 && errno == ESPIPE)
		written = write(ward->fd, ward->before, length);
	if (written != (ssize_t)length)
		return errno ? errno : EIO;
	error = read_value(ward->fd, now, sizeof(now));
	return error ? error : strcmp(now, ward->before) ? EIO : 0;
}

static int send_signal(int pidfd, int number)
{
	if (!syscall(SYS_pidfd_send_signal, pidfd, number, NULL, PROCESS_GROUP))
		return 0;
	/* An older kernel knows no groups here, and a process that leads none has none by its number. */
	if ((errno == EINVAL || errno == ESRCH) && !syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0))
		return 0;
	return errno;
}

static bool has_ended(int pidfd)
{
	struct pollfd end = { pidfd, POLLIN, 0 };

	return poll(&end, 1, 0) == 1;
}

/* 0: it is gone; EINPROGRESS: not yet; else it is tried again. */
static int drop_process(struct ward *ward, int64_t now)
{
	int error;

	if (has_ended(ward->fd))
		return 0;
	if (ward->killed) {
		/* A process that sleeps in the kernel is killed when it wakes. */
		send_signal(ward->fd, SIGKILL);
		ward->next_ms = now + RETRY_MS;
		return ETIMEDOUT;
	}
	if (!ward->dropping) {
		error = send_signal(ward->fd, SIGINT);
		ward->next_ms = now + GRACE_MS;
		return error == ESRCH ? 0 : EINPROGRESS;
	}
	if (now < ward->next_ms)
		return EINPROGRESS;
	send_signal(ward->fd, SIGKILL);
	ward->killed = true;
	ward->next_ms = now + RETRY_MS;
	return EINPROGRESS;
}

static void forget(int at)
{
	if (wards[at].fd >= 0)
		close(wards[at].fd);
	memmove(&wards[at], &wards[at + 1], (size_t)(count - at - 1) * sizeof(*wards));
	count--;
}

/* One attempt; true when it is gone. */
static bool drop(int at)
{
	struct ward *ward = &wards[at];
	uint32_t id = ward->id;
	int64_t now = now_ms();
	int error = 0;

	if (ward->kind == PROCESS)
		error = drop_process(ward, now);
	else if (ward->kind == SETTING) {
		errno = 0;
		error = restore(ward);
		ward->next_ms = now + RETRY_MS;
	}
	ward->dropping = true;
	if (error == EINPROGRESS)
		return false;
	if (error) {
		say(GUARDIAN_DROPPED, id, error, strerrorname_np(error) ?: "");
		return false;
	}
	/* Closing a link waits until the kernel's own scheduler is back. */
	forget(at);
	say(GUARDIAN_DROPPED, id, 0, "");
	return true;
}

/* Signals first, then links, then settings, last first: what may wait comes after what does not. */
static void drop_all(void)
{
	for (enum ward_kind kind = PROCESS;; kind = kind == PROCESS ? DESCRIPTOR : SETTING) {
		for (int at = count - 1; at >= 0; at--) {
			if (wards[at].kind == kind && !wards[at].dropping)
				drop(at);
		}
		if (kind == SETTING)
			break;
	}
}

static void go_home(enum guardian_cause cause, const char *why)
{
	/* First the deed, then the word. */
	drop_all();
	say(GUARDIAN_HOME, 0, cause, why);
}

static void drop_one(uint32_t id)
{
	for (int at = count - 1; at >= 0; at--) {
		if (wards[at].id != id)
			continue;
		if (!wards[at].dropping)
			drop(at);
		return;
	}
	/* It is gone already. */
	say(GUARDIAN_DROPPED, id, 0, "");
}

/* The texts of a setting; false when they do not fit. */
static bool read_setting(const struct guardian_message *message, struct ward *ward)
{
	const char *texts[3], *at = message->text, *end = at + message->length;

	for (int i = 0; i < 3; i++) {
		const char *stop = memchr(at, 0, (size_t)(end - at));

		if (!stop)
			return false;
		texts[i] = at;
		at = stop + 1;
	}
	if (strlen(texts[1]) >= VALUE || strlen(texts[2]) >= VALUE)
		return false;
	strcpy(ward->before, texts[1]);
	strcpy(ward->ours, texts[2]);
	ward->fd = open(texts[0], O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return true;
}

static void hold(const struct guardian_message *message, int fd)
{
	struct ward *ward = &wards[count];
	int error = 0;

	if (latched || ending)
		error = ECANCELED;
	else if (count == WARDS)
		error = ENOSPC;
	if (!error) {
		*ward = (struct ward){ .id = message->id, .fd = fd };
		switch (message->kind) {
		case GUARDIAN_HOLD_DESCRIPTOR:
			ward->kind = DESCRIPTOR;
			break;
		case GUARDIAN_HOLD_PROCESS:
			ward->kind = PROCESS;
			break;
		default:
			ward->kind = SETTING;
			if (!read_setting(message, ward))
				error = ENAMETOOLONG;
		}
		if (!error && ward->fd < 0)
			error = message->kind == GUARDIAN_HOLD_SETTING ? errno : EBADF;
	}
	if (!error)
		count++;
	else if (fd >= 0) {
		/* What is refused does not stay, either. */
		if (message->kind == GUARDIAN_HOLD_PROCESS)
			send_signal(fd, SIGKILL);
		close(fd);
	}
	say(GUARDIAN_HELD, message->id, error, error ? strerrorname_np(error) : "");
}

static void take(const struct guardian_message *message, int fd)
{
	int64_t now = now_ms();

	switch (message->kind) {
	case GUARDIAN_BEAT:
		beat_until_ms = now + message->value;
		if (now >= watchdog_ms) {
			tell_manager("WATCHDOG=1", 10);
			watchdog_ms = now + WATCHDOG_MS;
		}
		say(GUARDIAN_ALIVE, 0, 0, "");
		return;
	case GUARDIAN_HOLD_DESCRIPTOR:
	case GUARDIAN_HOLD_PROCESS:
	case GUARDIAN_HOLD_SETTING:
		hold(message, fd);
		return;
	case GUARDIAN_DROP:
		if (message->id)
			drop_one(message->id);
		else
			drop_all();
		break;
	case GUARDIAN_LATCH:
		latched = true;
		drop_all();
		break;
	case GUARDIAN_OPEN:
		latched = false;
		break;
	case GUARDIAN_NOTIFY:
		tell_manager(message->text, message->length);
		break;
	}
	if (fd >= 0)
		close(fd);
}

/* Nobody is there any more: what is left is dropped, and then it ends. */
static void lose_peer(void)
{
	close(peer);
	peer = -1;
	ending = true;
	alone_until_ms = now_ms() + ALONE_MS;
	drop_all();
}

/* Whether there may be more. */
static bool hear(void)
{
	struct guardian_message message;
	struct iovec data = { &message, sizeof(message) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr packet = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(peer, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	int fd = -1;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length <= 0) {
		lose_peer();
		return false;
	}
	if (packet.msg_controllen >= CMSG_LEN(sizeof(int)) && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(int));
	if (length < (ssize_t)GUARDIAN_HEAD || length != (ssize_t)(GUARDIAN_HEAD + message.length)) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	take(&message, fd);
	return true;
}

static void hear_signal(int signals)
{
	struct signalfd_siginfo info;
	char why[64];

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	snprintf(why, sizeof(why), "SIG%s from process %u", sigabbrev_np((int)info.ssi_signo) ?: "?", info.ssi_pid);
	if (info.ssi_signo == SIGUSR1) {
		latched = true;
		go_home(GUARDIAN_SIGNAL, why);
		return;
	}
	ending = true;
	alone_until_ms = now_ms() + ALONE_MS;
	go_home(GUARDIAN_ENDS, why);
}

static void hear_folder(int folder)
{
	char events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t length = read(folder, events, sizeof(events));

	for (char *at = events; length > 0 && at < events + length;) {
		const struct inotify_event *event = (const void *)at;

		if (event->len && !strcmp(event->name, kill_name) && !latched) {
			latched = true;
			go_home(GUARDIAN_KILL_FILE, "the kill file appeared");
		}
		at += sizeof(*event) + event->len;
	}
}

/* What is due now; ms until something else is, -1: nothing. */
static int do_due(void)
{
	int64_t now = now_ms(), next = INT64_MAX;

	if (beat_until_ms && now >= beat_until_ms) {
		beat_until_ms = 0;
		if (count)
			go_home(GUARDIAN_NO_BEAT, "its beats ended");
	}
	for (int at = count - 1; at >= 0; at--) {
		if (wards[at].dropping && (now >= wards[at].next_ms || (wards[at].kind == PROCESS && has_ended(wards[at].fd))))
			drop(at);
	}
	if (beat_until_ms)
		next = beat_until_ms;
	for (int at = 0; at < count; at++) {
		if (wards[at].dropping && wards[at].next_ms < next)
			next = wards[at].next_ms;
	}
	if (next == INT64_MAX)
		return -1;
	now = now_ms();
	return next <= now ? 0 : (int)(next - now < 60000 ? next - now : 60000);
}

static void find_manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	if (!length || length >= sizeof(manager.sun_path) || (*path != '/' && *path != '@'))
		return;
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path, length);
	if (*path == '@')
		manager.sun_path[0] = 0;
	manager_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int watch_folder(char *kill_file)
{
	static char folder[PATH_MAX], name[PATH_MAX];
	int watch;

	if (!kill_file || strlen(kill_file) >= PATH_MAX)
		return -1;
	strcpy(folder, kill_file);
	strcpy(name, kill_file);
	kill_name = basename(name);
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch >= 0 && inotify_add_watch(watch, dirname(folder), IN_CREATE | IN_MOVED_TO) < 0) {
		close(watch);
		watch = -1;
	}
	return watch;
}

/* As much out of the way of what may go wrong with the machine as it is allowed to be; says how much that is. */
static void settle(int folder)
{
	struct sched_param urgent = { .sched_priority = 2 };
	bool locked, first, spared;
	char how[128];
	int file;

	setsid();
	prctl(PR_SET_NAME, "pmvx-guardian");
	file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	spared = file >= 0 && write(file, "-1000", 5) == 5;
	if (file >= 0)
		close(file);
	locked = !mlockall(MCL_CURRENT | MCL_FUTURE);
	first = !sched_setscheduler(0, SCHED_FIFO, &urgent);
	snprintf(how, sizeof(how), "%s, %s, %s, %s", locked ? "memory locked" : "memory not locked",
		 first ? "SCHED_FIFO 2" : "no real-time priority of its own", spared ? "spared by the OOM killer" : "not spared by the OOM killer",
		 folder < 0 ? "the kill file is not watched" : "the kill file is watched");
	say(GUARDIAN_READY, 0, getpid(), how);
}

int main(int argc, char **argv)
{
	struct pollfd fds[3 + WARDS];
	int signals, folder;
	sigset_t set;

	syscall(SYS_close_range, GUARDIAN_SOCKET + 1, ~0u, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	find_manager();
	folder = watch_folder(argc > 1 ? argv[1] : NULL);
	if (chdir("/"))
		return 1;
	settle(folder);
	while (!ending || (count && now_ms() < alone_until_ms)) {
		int wait = do_due(), polled = 3;

		if (ending && !count)
			break;
		fds[0] = (struct pollfd){ signals, POLLIN, 0 };
		fds[1] = (struct pollfd){ folder, POLLIN, 0 };
		fds[2] = (struct pollfd){ peer, POLLIN, 0 };
		/* The end of a scheduler that is being dropped. */
		for (int at = 0; at < count; at++) {
			if (wards[at].kind == PROCESS && wards[at].dropping)
				fds[polled++] = (struct pollfd){ wards[at].fd, POLLIN, 0 };
		}
		if (poll(fds, (nfds_t)polled, wait) < 0)
			continue;
		/* What the other side said before it made the kill file itself is heard before that. */
		for (int left = MESSAGES; fds[2].revents && left && hear(); left--)
			;
		if (fds[0].revents)
			hear_signal(signals);
		if (fds[1].revents)
			hear_folder(folder);
	}
	return 0;
}
