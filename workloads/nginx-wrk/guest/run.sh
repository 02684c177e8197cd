#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED FILES LARGEST THREADS CONNECTIONS SECONDS: writes the files that nginx serves, then loads it with wrk.
set -eu
here=$(dirname "$0")
seed=$1 files=$2 largest=$3 threads=$4 connections=$5 span=$6

mkdir /tmp/www
awk -v seed="$seed" -v files="$files" -v largest="$largest" -v folder=/tmp/www -f "$here/files.awk"
# Requests are sent for so many seconds; wrk.lua ends the run as soon as all are answered, 20 seconds later at most.
exec wrk --threads "$threads" --connections "$connections" --duration "$((span + 20))s" --timeout 30s \
	--script "$here/wrk.lua" http://127.0.0.1:8080 -- "$seed" "$files" "$connections" "$threads" "$span"
