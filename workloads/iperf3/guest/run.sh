#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED STREAMS MESSAGE_KIB
set -eu
message=$(($3 * 1024 - $1 % ($3 * 1024 / 10)))
exec iperf3 -c 127.0.0.1 -p 5201 -P "$2" -t 1 -l "$message" -f m -i 0
