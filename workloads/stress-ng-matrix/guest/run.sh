#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED WORKERS OPS SIZE
set -eu
begin=$(date +%s.%N)
stress-ng --matrix "$2" --matrix-ops "$3" --matrix-size "$4" --seed "$1" --metrics-brief
end=$(date +%s.%N)
awk -v begin="$begin" -v end="$end" 'BEGIN { printf "time %.6f s\n", end - begin }'
