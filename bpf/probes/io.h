/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the set `io`, one of these per CPU. */
#ifndef PMVX_IO_H
#define PMVX_IO_H

#include <linux/types.h>

#include "probe.h"

struct pmvx_io {
	/* Requests given to a driver, by kind (flush, discard and the rest are `other`), and their bytes. */
	__u64 issue_read;
	__u64 issue_write;
	__u64 issue_other;
	__u64 read_bytes;
	__u64 write_bytes;
	/* Requests by bytes. */
	__u64 size[PMVX_SIZES];
	/* Requests that ended, of these with an error. */
	__u64 complete;
	__u64 error;
	/* From a request's allocation to its end: total and by length; and those of which the device keeps no time. */
	__u64 latency_ns;
	__u64 latency[PMVX_TIMES];
	__u64 latency_unknown;
	/* Bios submitted, with those to devices that have no requests (persistent memory, for one), and their bytes. */
	__u64 bio;
	__u64 bio_bytes;
};

#endif
