// SPDX-License-Identifier: GPL-2.0-only
/* Probe `net`: packets, socket calls and TCP states. See net.h for the counters. */
#include "counters.h"
#include "net.h"

#define AF_UNIX 1
#define IPPROTO_TCP 6

COUNTERS(struct pmvx_net);

SEC("tp_btf/net_dev_queue")
int BPF_PROG(often_transmit, struct sk_buff *packet)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (!net || is_other())
		return 0;
	net->transmit++;
	net->transmit_bytes += packet->len;
	return 0;
}

/* Packets arrive in soft interrupts, so they are nobody's: a filter by process cannot hold here. */
SEC("tp_btf/netif_receive_skb")
int BPF_PROG(often_receive, struct sk_buff *packet)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (!net)
		return 0;
	net->receive++;
	net->receive_bytes += packet->len;
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(often_send, struct sock *socket, int result)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (!net || is_other())
		return 0;
	net->send++;
	if (result < 0)
		net->send_fail++;
	else
		net->send_bytes += result;
	if (socket->__sk_common.skc_family == AF_UNIX)
		net->send_unix++;
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(often_receive_call, struct sock *socket, int result)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (!net || is_other())
		return 0;
	net->receive_call++;
	if (result < 0)
		net->receive_call_fail++;
	else
		net->receive_call_bytes += result;
	if (socket->__sk_common.skc_family == AF_UNIX)
		net->receive_call_unix++;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *socket, int before, int now)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (net && socket->sk_protocol == IPPROTO_TCP)
		net->tcp_state[(__u32)now % PMVX_TCP_STATES]++;
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit)
{
	struct pmvx_net *net = this_cpu_counters(&counters);

	if (net)
		net->tcp_retransmit++;
	return 0;
}
