/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all probes share. A set of counters is one plain struct of __u64 per CPU, in the per-CPU array `counters`; the sum over CPUs is
 * the machine's. Counters only grow, so what happened in a window is a difference of two readings.
 *
 * Most are counted by programs at tracepoints. Programs in section "raw_tp" stand at none: whoever reads the counters runs them before,
 * on each CPU (BPF_PROG_TEST_RUN with BPF_F_TEST_RUN_ON_CPU). They copy what kernel and processor count anyway, which costs nothing
 * between readings.
 *
 * Programs whose names begin with `often_` stand at events that come so often that what they cost can be felt. They may be attached for a
 * part of the time only; who does that says for how long they were, and scales what they counted.
 *
 * Two things not every kernel has. Who loads an object tries with both, then with `no_sync` (without programs in sections "fentry/..."),
 * `no_kept` (without the program `kept`, but with those whose names begin with `instead_`), or both set.
 */
#ifndef PMVX_PROBE_H
#define PMVX_PROBE_H

/* A counter that this kernel or machine does not have: never to be read as a number. */
#define PMVX_ABSENT (~0ull)

/* log2 histograms of times: bucket 0 is below 1024 ns, bucket i from 2^(9+i) ns to below 2^(10+i), the last has no upper end. */
#define PMVX_TIMES 24
/* log2 histograms of sizes: bucket 0 is 0 bytes, bucket i from 2^(i-1) bytes to below 2^i, the last has no upper end. */
#define PMVX_SIZES 24

#endif
