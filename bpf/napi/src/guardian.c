// SPDX-License-Identifier: GPL-2.0-only
/* A guardian as JavaScript sees it: its process is started, messages go both ways, and nothing here waits. */
#define _GNU_SOURCE
#include "guardian.h"
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct guardian {
	int socket; /* -1: closed, or the guardian has gone */
	pid_t pid;  /* 0: it was reaped */
};

static const napi_type_tag guardian_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b97 };

static void reap(struct guardian *guardian)
{
	if (guardian->pid && waitpid(guardian->pid, NULL, WNOHANG) == guardian->pid)
		guardian->pid = 0;
}

/* The guardian then drops all, and ends. */
static void leave(struct guardian *guardian)
{
	if (guardian->socket >= 0)
		close(guardian->socket);
	guardian->socket = -1;
	reap(guardian);
}

static void finalize_guardian(napi_env env, void *data, void *hint)
{
	(void)env, (void)hint;
	leave(data);
	free(data);
}

static struct guardian *open_guardian(napi_env env, napi_value value)
{
	napi_valuetype type;
	bool is_guardian = false;
	void *data = NULL;

	napi_typeof(env, value, &type);
	if (type != napi_external || napi_check_object_type_tag(env, value, &guardian_tag, &is_guardian) || !is_guardian ||
	    napi_get_value_external(env, value, &data)) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "not a guardian");
		return NULL;
	}
	return data;
}

/* In the child: nothing but system calls, for the process that it is a copy of has other threads. */
static void become(char **argv, int socket, int trouble)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Neither may be where the socket goes. */
	trouble = fcntl(trouble, F_DUPFD_CLOEXEC, GUARDIAN_SOCKET + 1);
	socket = fcntl(socket, F_DUPFD_CLOEXEC, GUARDIAN_SOCKET + 1);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (dup2(socket, GUARDIAN_SOCKET) == GUARDIAN_SOCKET)
		execve(argv[0], argv, environ);
	error = errno;
	if (write(trouble, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* startGuardian(program, kill file | undefined): a handle */
static napi_value start_guardian(napi_env env, napi_callback_info info)
{
	char program[PATH_MAX], kill_file[PATH_MAX], *argv[3] = { program };
	int sockets[2], trouble[2], error = 0;
	napi_value arguments[2], handle;
	struct guardian *guardian;

	if (!read_arguments(env, info, 2, arguments) || !read_text(env, arguments[0], "program", program, sizeof(program)))
		return NULL;
	if (!is_undefined(env, arguments[1])) {
		if (!read_text(env, arguments[1], "killFile", kill_file, sizeof(kill_file)))
			return NULL;
		argv[1] = kill_file;
	}
	log_begin();
	guardian = calloc(1, sizeof(*guardian));
	if (!guardian)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a guardian");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets)) {
		error = errno;
		free(guardian);
		return throw_libbpf(env, error, "cannot start %s", program);
	}
	if (pipe2(trouble, O_CLOEXEC)) {
		error = errno;
	} else {
		guardian->pid = fork();
		if (!guardian->pid)
			become(argv, sockets[1], trouble[1]);
		if (guardian->pid < 0)
			error = errno;
		close(trouble[1]);
		/* Nothing comes once the program runs, which closes the pipe. */
		if (!error && read(trouble[0], &error, sizeof(error)) == sizeof(error))
			waitpid(guardian->pid, NULL, 0);
		close(trouble[0]);
	}
	close(sockets[1]);
	if (error) {
		close(sockets[0]);
		free(guardian);
		return throw_libbpf(env, error, "cannot start %s", program);
	}
	guardian->socket = sockets[0];
	if (napi_create_external(env, guardian, finalize_guardian, NULL, &handle)) {
		finalize_guardian(env, guardian, NULL);
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "cannot make a handle");
	}
	return napi_type_tag_object(env, handle, &guardian_tag) ? NULL : handle;
}

/* The descriptor that goes with a message, and whether it is to be closed afterwards; -1 when none does. */
static bool read_descriptor(napi_env env, napi_value value, int64_t kind, int *fd, bool *own)
{
	int64_t number;

	*fd = -1;
	*own = false;
	if (is_undefined(env, value))
		return true;
	if (!read_integer(env, value, "descriptor", 0, INT_MAX, &number))
		return false;
	*fd = (int)number;
	if (kind != GUARDIAN_HOLD_PROCESS)
		return true;
	*fd = (int)syscall(SYS_pidfd_open, (pid_t)number, 0);
	*own = true;
	if (*fd >= 0)
		return true;
	throw_libbpf(env, errno, "there is no process %d to hold", (int)number);
	return false;
}

/* sendGuardian(guardian, kind, id, value, text bytes | undefined, descriptor or pid | undefined): whether it went */
static napi_value send_guardian(napi_env env, napi_callback_info info)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct guardian_message message = { 0 };
	struct iovec data = { &message, 0 };
	struct msghdr packet = { .msg_iov = &data, .msg_iovlen = 1 };
	int64_t kind, id, value;
	struct guardian *guardian;
	napi_value arguments[6];
	void *text = NULL;
	size_t length = 0;
	bool own, went;
	int fd;

	if (!read_arguments(env, info, 6, arguments) || !(guardian = open_guardian(env, arguments[0])) ||
	    !read_integer(env, arguments[1], "kind", GUARDIAN_BEAT, GUARDIAN_NOTIFY, &kind) ||
	    !read_integer(env, arguments[2], "id", 0, UINT32_MAX, &id) || !read_integer(env, arguments[3], "value", 0, INT_MAX, &value) ||
	    (!is_undefined(env, arguments[4]) && !read_bytes(env, arguments[4], "text", &text, &length)))
		return NULL;
	if (length > GUARDIAN_TEXT)
		return throw_misuse(env, "ERR_OUT_OF_RANGE", "text is longer than %d bytes", GUARDIAN_TEXT);
	log_begin();
	if (!read_descriptor(env, arguments[5], kind, &fd, &own))
		return NULL;
	message = (struct guardian_message){ .kind = (uint32_t)kind, .id = (uint32_t)id, .value = (int32_t)value, .length = (uint32_t)length };
	if (length)
		memcpy(message.text, text, length);
	data.iov_len = GUARDIAN_HEAD + length;
	if (fd >= 0) {
		packet.msg_control = &control;
		packet.msg_controllen = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	}
	went = guardian->socket >= 0 && sendmsg(guardian->socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
	if (own)
		close(fd);
	return make_bool(env, went);
}

/* hearGuardian(guardian): { kind, id, value, text }; kind 0: it has gone; undefined: it says nothing now */
static napi_value hear_guardian(napi_env env, napi_callback_info info)
{
	struct guardian_message message = { 0 };
	struct guardian *guardian;
	napi_value argument, heard, text;
	ssize_t length = 0;

	if (!read_arguments(env, info, 1, &argument) || !(guardian = open_guardian(env, argument)))
		return NULL;
	if (guardian->socket >= 0)
		length = recv(guardian->socket, &message, sizeof(message), MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return make_undefined(env);
	if (length < (ssize_t)GUARDIAN_HEAD || length != (ssize_t)(GUARDIAN_HEAD + message.length)) {
		leave(guardian);
		message = (struct guardian_message){ 0 };
	}
	heard = make_object(env);
	set_member(env, heard, "kind", make_number(env, message.kind));
	set_member(env, heard, "id", make_number(env, message.id));
	set_member(env, heard, "value", make_number(env, message.value));
	if (napi_create_string_utf8(env, message.text, message.length, &text))
		return NULL;
	set_member(env, heard, "text", text);
	return heard;
}

/* closeGuardian(guardian) */
static napi_value close_guardian(napi_env env, napi_callback_info info)
{
	struct guardian *guardian;
	napi_value argument;

	if (!read_arguments(env, info, 1, &argument) || !(guardian = open_guardian(env, argument)))
		return NULL;
	leave(guardian);
	return make_undefined(env);
}

/* linkDescriptor(link): stays the link's */
static napi_value link_descriptor(napi_env env, napi_callback_info info)
{
	struct link *link;
	napi_value argument;

	if (!read_arguments(env, info, 1, &argument) || !(link = open_link(env, argument)))
		return NULL;
	return make_number(env, bpf_link__fd(link->bpf));
}

void define_guardian(napi_env env, napi_value exports)
{
	define_function(env, exports, "startGuardian", start_guardian);
	define_function(env, exports, "sendGuardian", send_guardian);
	define_function(env, exports, "hearGuardian", hear_guardian);
	define_function(env, exports, "closeGuardian", close_guardian);
	define_function(env, exports, "linkDescriptor", link_descriptor);
}
