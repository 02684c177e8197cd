#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED FILES JOBS REQUESTS
set -eu
seed=$1 files=$2 jobs=$3 requests=$4
work=$(mktemp -d /tmp/build-interactive.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk -v seed="$seed" -v files="$files" -v functions=4 -f /opt/pmvx/files/build-interactive/sources.awk
printf 'OBJECTS = $(patsubst %%.c,%%.o,$(wildcard *.c))\nprogram: $(OBJECTS)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O1 -c -o $@ $<\n' >Makefile
/opt/pmvx/work/wakeup-latency --messengers 1 --workers 4 --requests "$requests" --think-us 2000 --work-kinstr 50 --seed "$seed" >"$work/interactive" &
interactive=$!
begin=$(date +%s.%N)
make -s -j"$jobs" program
end=$(date +%s.%N)
wait "$interactive" || { echo "build-interactive: the interactive part ended with status $?" >&2; exit 1; }
cat "$work/interactive"
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "build_time %.6f s\n", end - begin }'
