#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the tools root. /build/in holds our sources, /build/out receives what goes into the image.
# Arguments: names of schedulers in the kernel source's tools/sched_ext.
set -eu
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
in=/build/in
out=/build/out
rm -rf "$out"
mkdir -p "$out/sched" "$out/bin" "$out/work" "$out/files" "$out/probes" "$out/initrd/modules"
headers=$(echo /usr/src/linux-headers-*-cloud-amd64)
[ -d "$headers" ] || { echo "expected one kernel's headers, found: $headers" >&2; exit 1; }
jobs=$(nproc)
warn="-Wall -Wextra -Werror"

# left_out FOLDER LOG: what belongs to one workload or policy and does not compile is left out, with the compiler's first error; all else
# goes on. The builder reads why from $out/left.
left_out() {
	cat "$2" >&2
	sed "s#$in/##g" "$2" >/build/words
	{ grep -m 1 'error' /build/words || tail -n 1 /build/words; } >"$out/left/$(echo "$1" | tr / %)"
}
mkdir -p "$out/left"

# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -static -o "$out/initrd/init" "$in"/bpf/guest/agent/*.c
# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -static -o "$out/bin/unitwork" "$in/bpf/guest/unitwork/unitwork.c"
# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -static -o "$out/bin/witness" "$in/bpf/guest/witness/witness.c"
if [ -e "$in/bpf/guest/serve/serve.c" ]; then
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O2 $warn -static -o "$out/bin/serve" "$in"/bpf/guest/serve/*.c
fi
# shellcheck disable=SC2086
gcc -std=gnu11 -O2 $warn -shared -fPIC -fvisibility=hidden -o "$out/slice.so" "$in"/harness/lab/plugin/*.c
for driver in "$in"/workloads/*/*.c; do
	[ -e "$driver" ] || continue
	# shellcheck disable=SC2086
	gcc -std=c11 -O2 $warn -static -pthread -o "$out/work/$(basename "${driver%.c}")" "$driver" 2>/build/log ||
		left_out "workloads/$(basename "${driver%/*}")" /build/log
done

for files in "$in"/workloads/*/guest; do
	[ -d "$files" ] || continue
	cp -r "$files" "$out/files/$(basename "$(dirname "$files")")"
done

cp -r "$in/bpf/guest/idle" /build/idle
make -s -C "$headers" M=/build/idle modules
strip -g -o "$out/initrd/modules/pmvx_idle.ko" /build/idle/pmvx_idle.ko

# The schedulers, unchanged, with the kernel source's own libbpf and the BTF of the kernel that will run them.
if [ $# -gt 0 ]; then
	source=/usr/src/scx-source
	if [ ! -e "$source/.complete" ]; then
		rm -rf "$source"
		mkdir -p "$source"
		tar -xJf /usr/src/linux-source-*.tar.xz -C "$source" --strip-components=1 --wildcards \
			'*/tools/sched_ext/*' '*/tools/include/*' '*/tools/scripts/*' '*/tools/lib/*' '*/tools/build/*' \
			'*/tools/arch/*' '*/scripts/bpf_doc.py' '*/include/uapi/*'
		touch "$source/.complete"
	fi
	mkdir -p /build/scx
	make -s -j"$jobs" -C "$source/tools/sched_ext" O=/build/scx CLANG=clang-19 BPFTOOL=/usr/sbin/bpftool \
		VMLINUX_BTF="$headers/vmlinux" "$@" >/build/scx.log 2>&1 || { tail -n 30 /build/scx.log >&2; exit 1; }
	for name in "$@"; do
		strip -g -o "$out/sched/$name" "/build/scx/build/bin/$name"
	done

	# Our own schedulers and their loader, with what the others are built with.
	include=/build/scx/build/include
	headers_of_source="-I$source/tools/sched_ext/include -I$include -I$source/tools/include/uapi"
	for policy in "$in"/bpf/policies/*/*.bpf.c; do
		[ -e "$policy" ] || continue
		object=$out/sched/$(basename "${policy%.c}").o
		# shellcheck disable=SC2086
		clang-19 -target bpf -mcpu=v3 -mlittle-endian -g -O2 -D__TARGET_ARCH_x86 $headers_of_source \
			-I"$source/tools/sched_ext/include/bpf-compat" -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include \
			-Wall -Werror -Wno-compare-distinct-pointer-types -Wno-microsoft-anon-tag -fms-extensions -c "$policy" -o "$object" \
			2>/build/log || { left_out "bpf/policies/$(basename "${policy%/*}")" /build/log; continue; }
		llvm-strip-19 -g "$object"
	done
	if [ -e "$in/bpf/guest/struct-ops/struct-ops.c" ]; then
		# shellcheck disable=SC2086
		gcc -std=gnu11 -O2 $warn $headers_of_source -o "$out/bin/struct-ops" "$in"/bpf/guest/struct-ops/*.c \
			/build/scx/build/obj/libbpf/libbpf.a -lelf -lz
	fi

	# The recorder, static: the same program runs in the guest and on a host.
	if [ -e "$in/bpf/recorder/record.c" ]; then
		mkdir -p /build/record
		clang-19 -target bpf -mcpu=v3 -mlittle-endian -g -O2 -D__TARGET_ARCH_x86 -I"$include" \
			-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include \
			-Wall -Werror -Wno-microsoft-anon-tag -Wno-missing-declarations -fms-extensions \
			-c "$in/bpf/recorder/record.bpf.c" -o /build/record/record.bpf.o
		llvm-strip-19 -g /build/record/record.bpf.o
		bpftool gen skeleton /build/record/record.bpf.o name record_bpf >/build/record/record.skel.h
		# shellcheck disable=SC2086
		gcc -std=gnu11 -O2 $warn -static -isystem /build/record $headers_of_source -o "$out/bin/record" \
			"$in/bpf/recorder/record.c" "$in/bpf/recorder/static-libelf.c" \
			/build/scx/build/obj/libbpf/libbpf.a -lelf -lz -lzstd
		strip "$out/bin/record"
	fi

	# The probes, which a host loads, too, and their loader.
	for probe in "$in"/bpf/probes/*.bpf.c; do
		[ -e "$probe" ] || continue
		object=$out/probes/$(basename "${probe%.c}").o
		# shellcheck disable=SC2086
		clang-19 -target bpf -mcpu=v3 -mlittle-endian -g -O2 -D__TARGET_ARCH_x86 $headers_of_source \
			-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include -Wall -Werror -c "$probe" -o "$object"
		llvm-strip-19 -g "$object"
	done
	if [ -e "$in/bpf/probes/loader.c" ]; then
		# shellcheck disable=SC2086
		gcc -std=gnu11 -O2 $warn -static $headers_of_source -I"$in/bpf/guest/struct-ops" -o "$out/bin/probes" \
			"$in/bpf/probes/loader.c" "$in/bpf/guest/struct-ops/globals.c" "$in/bpf/recorder/static-libelf.c" \
			/build/scx/build/obj/libbpf/libbpf.a -lelf -lz -lzstd
	fi
fi

# The initramfs: the agent as /init and what it needs to reach the root file system.
for module in "$in"/modules/*.ko.xz; do
	xz -dc "$module" >"$out/initrd/modules/$(basename "$module" .xz)"
done
chmod -R u=rwX,go=rX "$out"
chmod 755 "$out/initrd/init"
find "$out" -exec touch -h -d @1767225600 {} +
(cd "$out/initrd" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$out/initrd.cpio"
