#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED THREADS LOOPS TASKS
set -eu
/opt/pmvx/work/spinners --tasks "$4" --units 1000000 --seed "$1" >/dev/null &
load=$!
trap 'kill "$load" 2>/dev/null || :' EXIT
cyclictest --policy=other -t "$2" -i 1000 -l "$3" -H 20000 -q >/tmp/cyclictest.out
kill -0 "$load" 2>/dev/null || { echo "cyclictest-load: the load ended first" >&2; exit 1; }
# "# Histogram", then a line for each microsecond: value, counts of the threads, sum. What lies beyond is counted apart.
# cyclictest ends when the first of its threads has made all its loops.
awk -v threads="$2" -v loops="$3" '
	/^[0-9]+[ \t]/ && $NF > 0 { n += $NF; value[++lines] = $1 + 0; count[lines] = $NF + 0 }
	/^# Max Latencies:/ { max = $NF + 0 }
	/^# Histogram Overflows:/ { for (i = 4; i < 4 + threads; i++) beyond += $i }
	END {
		if (beyond) { n += beyond; value[++lines] = max; count[lines] = beyond }
		if (n < loops) { print "cyclictest-load: " n + 0 " wake-ups are in the histogram, wanted " loops " of one thread at least" >"/dev/stderr"; exit 1 }
		rank = int((n * 99 + 99) / 100)
		for (i = 1; i <= lines && seen < rank; i++) seen += count[i]
		print "late_p99 " value[i - 1] " us"
		print "late_max " max " us"
		for (i = 1; i <= lines; i++) print "late_hist " value[i] " " count[i]
	}' /tmp/cyclictest.out
