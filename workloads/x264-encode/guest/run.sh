#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED FRAMES THREADS: each frame is the same noise, read from a little further on, so that something moves.
set -eu
seed=$1 frames=$2 threads=$3
work=$(mktemp -d /tmp/x264-encode.XXXXXX)
trap 'rm -rf "$work"' EXIT
frame=$((128 * 96 * 3 / 2))
step=$((128 + seed % 7))

head -c $((frame + 64 * step)) /dev/zero |
	openssl enc -aes-128-ctr -nosalt -pass "pass:$seed" -md sha256 -iter 1 | tr '\000-\377' '\000-\077\000-\077\000-\077\000-\077' >"$work/noise"
i=0
while [ "$i" -lt "$frames" ]; do
	tail -c +$((i % 64 * step + 1)) "$work/noise" | head -c "$frame"
	i=$((i + 1))
done >"$work/clip.yuv"
[ "$(wc -c <"$work/clip.yuv")" = $((frame * frames)) ] || { echo "x264-encode: the clip is not complete" >&2; exit 1; }
exec x264 --quiet --preset veryfast --no-asm --threads "$threads" --input-res 128x96 --fps 30 --demuxer raw --no-progress -o "$work/clip.264" "$work/clip.yuv"
