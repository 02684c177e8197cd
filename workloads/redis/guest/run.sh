#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED COMMAND REQUESTS CONNECTIONS BYTES: redis-benchmark, and the distribution of its latencies.
set -eu
redis-benchmark -t "$2" -n "$3" -c "$4" -d "$5" -r 1000 --seed "$1" --precision 3 >/tmp/redis.out
cat /tmp/redis.out
# The program tells of the same distribution in three ways, each coarse where another is fine: at halves of what is left, at steps of 0.1
# and 1 ms, and at some percentiles. All of their points together, in milliseconds, with the requests up to there. It puts 3 s in place of
# whatever took longer: what lies there is counted as beyond, and not told.
awk -v requests="$3" '
	function point(ms, count) { if (count > upto[ms]) upto[ms] = count }
	/^[0-9.]+% <= .* milliseconds \(cumulative count/ { point($3, $NF + 0) }
	/^ +avg +min +p50 +p95 +p99 +max/ { getline; point($3, up(50)); point($4, up(95)); point($5, up(99)); point($6, requests) }
	function up(percent) { return int((requests * percent + 99) / 100) }
	END { for (ms in upto) print ms, upto[ms] }' /tmp/redis.out | sort -n |
	awk -v requests="$3" -v cap=3000 '
		$1 < cap && $2 > last { last = $2; print "latency_upto", $1, $2 }
		END { print "latency_beyond", cap, requests - last }'
