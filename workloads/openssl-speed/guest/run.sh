#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PROCESSES BYTES: a second of hashing by each process at once, and how evenly they came along.
set -eu
# By the clock: by the CPU time that a process had, it would never notice that it waited.
openssl speed -mr -elapsed -multi "$1" -seconds 1 -bytes "$2" sha256 >/tmp/openssl.out
awk -F: -v processes="$1" '
	/^Got: \+F:/ { split($5, words, " "); rate = words[1] + 0; sum += rate; n++
		if (n == 1 || rate < least) least = rate
		if (rate > most) most = rate
		printf "process %d %.0f bytes/s\n", n, rate }
	END {
		if (n != processes || !least) { print "openssl-speed: " n + 0 " of " processes " processes have a result" >"/dev/stderr"; exit 1 }
		printf "rate %.0f bytes/s\nslowest %.0f bytes/s\nfairness %.6f ratio\n", sum, least, least / most
	}' /tmp/openssl.out
