#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED JOBS REQUESTS READ_PERCENT: the device is the one that the io-* policies set up; see their policy.yaml.
set -eu
[ -b /dev/nullb0 ] || modprobe null_blk nr_devices=1 memory_backed=1 gb=1 bs=4096 irqmode=2 completion_nsec=100000 submit_queues=1 hw_queue_depth=64
[ -b /dev/nullb0 ] || { echo "fio: there is no /dev/nullb0" >&2; exit 1; }
fio --name=load --filename=/dev/nullb0 --direct=1 --ioengine=psync --rw=randrw --rwmixread="$4" --bs=4k --size=64m \
	--numjobs="$2" --number_ios="$3" --randseed="$1" --allrandrepeat=1 --group_reporting --lat_percentiles=0 --clat_percentiles=1 \
	--write_lat_log=/tmp/fio --log_avg_msec=0 --disable_slat=1 --disable_lat=1 --output-format=json --output=/tmp/fio.out
# Of each request the log has its time in ms, nanoseconds, direction, size and more.
cat /tmp/fio_clat.*.log | awk -F', *' '{ print $2 }' | sort -n >/tmp/latencies
[ "$(wc -l </tmp/latencies)" = $(($2 * $3)) ] || { echo "fio: $(wc -l </tmp/latencies) of $(($2 * $3)) requests are in the log" >&2; exit 1; }
awk -F': *' '/"iops" :/ { sum += $2 } END { printf "rate %.3f requests/s\n", sum }' /tmp/fio.out
awk '{ all[NR] = $1 } END { rank = int((NR * 99 + 99) / 100); printf "latency_p99 %.3f us\n", all[rank] / 1000 }' /tmp/latencies
awk '{ printf "%.1f\n", $1 / 1000 }' /tmp/latencies | uniq -c | awk '{ print "latency_hist", $2, $1 }'
