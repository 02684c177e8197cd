#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED FILES FUNCTIONS JOBS
set -eu
seed=$1 files=$2 functions=$3 jobs=$4
work=$(mktemp -d /tmp/gcc-build.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk -v seed="$seed" -v files="$files" -v functions="$functions" -f /opt/pmvx/files/gcc-build/sources.awk
printf 'OBJECTS = $(patsubst %%.c,%%.o,$(wildcard *.c))\nprogram: $(OBJECTS)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O1 -c -o $@ $<\n' >Makefile
begin=$(date +%s.%N)
make -s -j"$jobs" program
end=$(date +%s.%N)
[ -x program ] || { echo "gcc-build: there is no program" >&2; exit 1; }
echo "result $(./program)"
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "time %.6f s\n", end - begin }'
