#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED FILES KIB LEVEL
set -eu
seed=$1 files=$2 kib=$3 level=$4
work=$(mktemp -d /tmp/xz-compress.XXXXXX)
trap 'rm -rf "$work"' EXIT

for i in $(seq "$files"); do
	size=$((kib * 1024 * (100 - (seed + i * 7) % 25) / 100))
	head -c "$((size / 2))" /dev/zero |
		openssl enc -aes-128-ctr -nosalt -pass "pass:$seed-$i" -md sha256 -iter 1 |
		od -An -v -tx2 -w32 | head -c "$size" >"$work/$i"
	[ "$(wc -c <"$work/$i")" = "$size" ] || { echo "xz-compress: file $i is not complete" >&2; exit 1; }
done
begin=$(date +%s.%N)
pids=
for i in $(seq "$files"); do
	xz -T1 "-$level" -k "$work/$i" &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || { echo "xz-compress: xz ended with status $?" >&2; exit 1; }
done
end=$(date +%s.%N)
echo "digest $(cat "$work"/*.xz | sha256sum | cut -c1-16)"
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "time %.6f s\n", end - begin }'
