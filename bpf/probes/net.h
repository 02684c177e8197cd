/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the set `net`, one of these per CPU. */
#ifndef PMVX_NET_H
#define PMVX_NET_H

#include <linux/types.h>

#include "probe.h"

#define PMVX_TCP_STATES 16

struct pmvx_net {
	/* Packets as the stack sees them (what is joined for transport is one), and their bytes with headers, loopback included. */
	__u64 transmit;
	__u64 transmit_bytes;
	__u64 receive;
	__u64 receive_bytes;
	/* Calls that sent to a socket or received from one, their bytes, and those that failed; calls on unix sockets among them. */
	__u64 send;
	__u64 send_bytes;
	__u64 send_fail;
	__u64 send_unix;
	__u64 receive_call;
	__u64 receive_call_bytes;
	__u64 receive_call_fail;
	__u64 receive_call_unix;
	/* Changes of a TCP socket's state, by the new state (include/net/tcp_states.h: 1 established, 7 closed, 10 listening). */
	__u64 tcp_state[PMVX_TCP_STATES];
	__u64 tcp_retransmit;
};

#endif
