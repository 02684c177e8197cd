#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the tools root after compile.sh: what an image with `runtime: true` has besides. /build/in holds sources, Node-API's
# headers and Node itself, /build/scx-include the kernel's types; /build/out receives the addon and guardian of ebpf-napi, the day's program, Node
# without its symbols, and the schedulers that are there to fail.
set -eu
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
in=/build/in
out=/build/out
rm -rf "$out"
mkdir -p "$out/made-up" /build/include
warn="-Wall -Wextra -Werror"
source=/usr/src/scx-source

# The headers of the kernel source's libbpf, and the library that is here: the guest has the same package.
ln -sfn "$source/tools/lib/bpf" /build/include/bpf
mkdir -p /build/include/linux
for header in bpf.h bpf_common.h btf.h; do
	ln -sf "$source/tools/include/uapi/linux/$header" "/build/include/linux/$header"
done
gcc -std=gnu11 -O2 -Wall -Wextra -fPIC -fvisibility=hidden -shared -pthread -Wl,-z,nodelete -I"$in/node-api" -isystem /build/include \
	-o "$out/ebpf.node" "$in"/bpf/napi/src/*.c -l:libbpf.so.1
# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -static -o "$out/guardian" "$in"/bpf/napi/guardian/guardian.c
# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -static -o "$out/day" "$in"/harness/replay/guest/*.c
strip -o "$out/node" "$in/node"

for policy in "$in"/bpf/made-up/*/*.bpf.c; do
	[ -e "$policy" ] || continue
	object=$out/made-up/$(basename "${policy%.c}").o
	clang-19 -target bpf -mcpu=v3 -mlittle-endian -g -O2 -D__TARGET_ARCH_x86 -I"$source/tools/sched_ext/include" -I/build/scx-include \
		-I"$source/tools/include/uapi" -I"$source/tools/sched_ext/include/bpf-compat" -idirafter /usr/include/x86_64-linux-gnu \
		-idirafter /usr/include -Wall -Werror -Wno-compare-distinct-pointer-types -Wno-microsoft-anon-tag -fms-extensions \
		-c "$policy" -o "$object"
	llvm-strip-19 -g "$object"
done
