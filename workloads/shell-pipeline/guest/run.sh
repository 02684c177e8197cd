#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED PIPELINES KIB
set -eu
seed=$1 pipelines=$2 kib=$3
work=$(mktemp -d /tmp/shell-pipeline.XXXXXX)
trap 'rm -rf "$work"' EXIT

# Every stage leaves a file when it has ended well: a shell tells of the last one only.
stage() {
	name=$1
	shift
	"$@" && : >"$work/$name.ok"
}

pipeline() {
	stage "$1.source" head -c "$((kib * 1024))" /dev/zero |
		stage "$1.generate" openssl enc -aes-128-ctr -nosalt -pass "pass:$seed-$1" -md sha256 -iter 1 |
		stage "$1.text" od -An -v -tx2 -w32 |
		stage "$1.compress" zstd -q -3 -c |
		stage "$1.unpack" zstd -q -d -c |
		stage "$1.change" tr abc xyz |
		stage "$1.hash" sha256sum >"$work/$1.sum"
}

begin=$(date +%s.%N)
for i in $(seq "$pipelines"); do
	pipeline "$i" &
done
wait
end=$(date +%s.%N)
for i in $(seq "$pipelines"); do
	for name in source generate text compress unpack change hash; do
		[ -e "$work/$i.$name.ok" ] || { echo "shell-pipeline: stage $name of pipeline $i failed" >&2; exit 1; }
	done
done
echo "digest $(cat "$work"/*.sum | sha256sum | cut -c1-16)"
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "time %.6f s\n", end - begin }'
