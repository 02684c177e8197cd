// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding a scheduler process right before it attaches. Its bpf(BPF_LINK_CREATE) calls come to the agent as seccomp user
 * notifications: the one that would attach a struct_ops is left without an answer until its policy is chosen, any other goes on.
 * By then programs are loaded and verified, so attaching takes milliseconds. Everything else that the process does is untouched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent.h"

/* BPF_STRUCT_OPS, which the headers of older systems lack. */
#define STRUCT_OPS_LINK (BPF_LSM_CGROUP + 1)

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

/* In the child, before exec: installs the filter and gives its listener to the agent through `socket`. */
int hold_install(int socket)
{
	static struct sock_filter code[] = {
		FIELD(arch),		  UNLESS(AUDIT_ARCH_X86_64, 5),
		FIELD(nr),		  UNLESS(SYS_bpf, 3),
		FIELD(args[0]),		  UNLESS(BPF_LINK_CREATE, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };
	long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	char byte = 0;
	struct iovec data = { &byte, 1 };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int)),
	};

	if (listener < 0)
		return -1;
	memcpy(CMSG_DATA(&control.head), &(int){ (int)listener }, sizeof(int));
	if (sendmsg(socket, &message, 0) != 1)
		return -1;
	close((int)listener);
	return close(socket);
}

/* In the agent: the listener that the child sent; -1 when it ended without. */
int hold_receive(int socket)
{
	char byte;
	struct iovec data = { &byte, 1 };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	int listener = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && message.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    control.head.cmsg_type == SCM_RIGHTS)
		memcpy(&listener, CMSG_DATA(&control.head), sizeof(int));
	return listener;
}

static bool attaches(const struct seccomp_notif *call)
{
	uint32_t type;
	struct iovec here = { &type, sizeof(type) };
	struct iovec there = { (char *)(uintptr_t)call->data.args[1] + offsetof(union bpf_attr, link_create.attach_type), sizeof(type) };

	return process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0) == sizeof(type) && type == STRUCT_OPS_LINK;
}

static void let_go(int listener, uint64_t notification)
{
	struct seccomp_notif_resp answer = { .id = notification, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	/* It fails when the caller has gone meanwhile; that shows elsewhere. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Takes one notification. With `keep` a call that would attach a struct_ops stays without an answer. */
void hold_answer(struct candidate *candidate, bool keep)
{
	struct seccomp_notif call = { 0 };

	if (ioctl(candidate->listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	if (keep && attaches(&call)) {
		candidate->held = true;
		candidate->notification = call.id;
	} else {
		let_go(candidate->listener, call.id);
	}
}

void hold_release(struct candidate *candidate)
{
	candidate->held = false;
	let_go(candidate->listener, candidate->notification);
}
