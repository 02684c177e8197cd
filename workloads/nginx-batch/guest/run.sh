#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED CONNECTIONS THREADS BYTES TASKS
set -eu
seed=$1 connections=$2 threads=$3 bytes=$4
here=${0%/*}

# 64 files of half to one and a half of the given size, drawn with the seed.
mkdir -p /tmp/site
awk -v seed="$seed" -v bytes="$bytes" 'BEGIN { srand(seed); for (i = 0; i < 64; i++) print i, int(bytes * (0.5 + rand())) }' |
	while read -r name size; do head -c "$size" /dev/zero >"/tmp/site/$name"; done

# Batch work that is there from before the first request until after the last.
/opt/pmvx/work/spinners --tasks "$5" --units 1000000 --seed "$seed" >/dev/null &
batch=$!
trap 'kill "$batch" 2>/dev/null || :' EXIT
# Requests are sent for a second; requests.lua ends the run as soon as all are answered, 20 seconds later at most.
wrk -c "$connections" -t "$threads" -d 21s --timeout 30s -s "$here/requests.lua" http://127.0.0.1:8080/ -- "$seed" "$connections" "$threads" 1
kill -0 "$batch" 2>/dev/null || { echo "the batch work ended before the requests" >&2; exit 1; }
