// SPDX-License-Identifier: GPL-2.0-only
/*
 * libbpf trusts object files: a damaged one may end the process that opens it, or never come back. So each step on a file that nobody
 * vouches for is done in a child first, whose memory is a copy of this process's, and only what did not end that one is done here.
 */
#define _GNU_SOURCE
#include "rehearse.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds; the verifier may take some for a large scheduler. */
#define LONGEST 60

static void limit(int which, rlim_t most)
{
	struct rlimit limits = { most, most };

	setrlimit(which, &limits);
}

/* In the child: alone, and silent whatever happens. */
static void prepare(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGALRM, SIGTERM, SIGINT };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, LONGEST);
	/* Also when it waits for what another thread held as it was copied. */
	alarm(LONGEST);
	/* A heap that is written past its end is told on stderr. */
	close(STDERR_FILENO);
}

int rehearse(void (*step)(void *data), void *data)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		prepare();
		step(data);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) ? SIGABRT : 0;
}

void walk_object(struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;
	size_t size, length = 0;

	bpf_object__for_each_program(program, object)
		length += strlen(bpf_program__name(program)) + strlen(bpf_program__section_name(program));
	bpf_object__for_each_map(map, object) {
		const volatile unsigned char *bytes = bpf_map__initial_value(map, &size);

		length += strlen(bpf_map__name(map));
		if (bytes && size)
			length += bytes[0] + bytes[size - 1];
	}
	(void)length;
}

napi_value throw_rehearsal(napi_env env, int result, const char *what)
{
	if (result < 0)
		return throw_libbpf(env, result, "%s: no child could try it first", what);
	if (result == SIGXCPU || result == SIGALRM)
		return throw_misuse(env, "ERR_BPF_DAMAGED", "%s: libbpf %s does not come back from it: the object file is damaged",
				    what, libbpf_version_string() + 1);
	return throw_misuse(env, "ERR_BPF_DAMAGED", "%s: libbpf %s crashes on it (SIG%s): the object file is damaged", what,
			    libbpf_version_string() + 1, sigabbrev_np(result));
}
