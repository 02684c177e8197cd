// SPDX-License-Identifier: GPL-2.0-only
/* Probe `io`: block requests, their sizes and latencies. See io.h for the counters. The block layer notes itself when a request began. */
#include "counters.h"
#include "io.h"

#define REQ_OP_MASK 0xff /* include/linux/blk_types.h: the lower REQ_OP_BITS */
#define REQ_OP_READ 0
#define REQ_OP_WRITE 1

COUNTERS(struct pmvx_io);

SEC("tp_btf/block_rq_issue")
int BPF_PROG(often_issue, struct request *request)
{
	struct pmvx_io *io = this_cpu_counters(&counters);
	__u32 bytes = request->__data_len;

	if (!io || is_other())
		return 0;
	switch (request->cmd_flags & REQ_OP_MASK) {
	case REQ_OP_READ:
		io->issue_read++;
		io->read_bytes += bytes;
		break;
	case REQ_OP_WRITE:
		io->issue_write++;
		io->write_bytes += bytes;
		break;
	default:
		io->issue_other++;
	}
	io->size[size_bucket(bytes)]++;
	return 0;
}

/* Requests end in interrupts, so they are nobody's: a filter by process cannot hold here. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(often_complete, struct request *request, int error, unsigned int bytes)
{
	struct pmvx_io *io = this_cpu_counters(&counters);
	__u64 start, latency;

	/* Some end in parts: the last one counts. */
	if (!io || (!error && bytes < request->__data_len))
		return 0;
	io->complete++;
	if ((__u8)error)
		io->error++;
	start = request->start_time_ns;
	if (!start) {
		io->latency_unknown++;
		return 0;
	}
	latency = bpf_ktime_get_ns() - start;
	io->latency_ns += latency;
	io->latency[time_bucket(latency)]++;
	return 0;
}

SEC("tp_btf/block_bio_queue")
int BPF_PROG(often_bio, struct bio *bio)
{
	struct pmvx_io *io = this_cpu_counters(&counters);

	if (!io || is_other())
		return 0;
	io->bio++;
	io->bio_bytes += bio->bi_iter.bi_size;
	return 0;
}
