#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED THREADS LOOPS TASKS
set -eu
/opt/pmvx/work/spinners --tasks "$4" --units 1000000 --seed "$1" >/dev/null &
load=$!
trap 'kill "$load" 2>/dev/null || :' EXIT
# Wake-ups less than 20 ms late are in the histogram, by the microsecond; each later one is told by --spike. Nothing is rounded or left out.
nodes=$(($2 * $3))
[ "$nodes" -le 1000000 ] || nodes=1000000
cyclictest --policy=other -t "$2" -i 1000 -l "$3" -H 20000 --spike=19999 --spike-nodes="$nodes" -q >/tmp/cyclictest.out
kill -0 "$load" 2>/dev/null || { echo "cyclictest-load: the load ended first" >&2; exit 1; }
# "# Histogram", then a line for each microsecond: value, counts of the threads, sum. What lies beyond is counted apart, and told as
# "T: 0 Spike:   25000: TS: ...". Cyclictest ends when the first thread has made all its loops.
awk -v threads="$2" '
	/^[0-9]+[ \t]/ && $NF > 0 { print $1 + 0, $NF + 0 }
	/^T: *[0-9]+ +Spike:/ { split($0, part, ":"); print part[3] + 0, 1 }' /tmp/cyclictest.out | sort -n >/tmp/cyclictest.late
awk -v threads="$2" -v loops="$3" -v bound=20000 '
	function fail(why) { print "cyclictest-load: " why >"/dev/stderr"; failed = 1; exit 1 }
	FILENAME != ARGV[2] { n += $2; value[++lines] = $1; count[lines] = $2; if ($1 >= bound) told += $2 }
	FILENAME == ARGV[2] && /^# Max Latencies:/ { max = $NF + 0 }
	FILENAME == ARGV[2] && /^# Histogram Overflows:/ { for (i = 4; i < 4 + threads; i++) overflow += $i }
	END {
		if (failed) exit 1
		beyond = overflow - told
		if (beyond < 0) fail("it tells " told " late wake-ups and counts " overflow + 0)
		n += beyond
		if (n < loops) fail(n + 0 " wake-ups are in the histogram, wanted " loops " of one thread at least")
		if (!beyond && value[lines] != max) fail("the latest wake-up told is " value[lines] " us, the latest counted " max " us")
		rank = int((n * 99 + 99) / 100)
		if (rank > n - beyond) fail("rank " rank " of " n " lies in the overflow bucket, which holds " beyond " wake-ups of " bound " us or more that are not told")
		for (i = 1; i <= lines && seen < rank; i++) seen += count[i]
		print "late_p99 " value[i - 1] " us"
		print "late_max " max " us"
		for (i = 1; i <= lines; i++) print "late_hist " value[i] " " count[i]
		print "late_beyond " bound " " beyond
	}' /tmp/cyclictest.late /tmp/cyclictest.out
