#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the tools root. Arguments: pins NAME@VERSION of cargo's registry. Each that builds leaves its programs in
# /build/out/PIN/bin; each that does not leaves /build/out/PIN.log. One that fails does not stop the rest.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/build/cargo CARGO_HOME=/build/cargo CARGO_TARGET_DIR=/build/target
export CARGO_HTTP_CAINFO=/build/ca.crt
# Built quickly: what counts is decided in BPF, which clang optimises all the same.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=2
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=symbols
export BPF_CLANG=clang-19 LIBCLANG_PATH=/usr/lib/x86_64-linux-gnu
mkdir -p /build/out
for pin in "$@"; do
	started=$(date +%s)
	if nice -n 10 cargo install --locked --no-track -j2 --root "/build/partial/$pin" --version "${pin#*@}" "${pin%@*}" \
		>"/build/out/$pin.log" 2>&1; then
		rm "/build/out/$pin.log"
		mv "/build/partial/$pin" "/build/out/$pin"
		echo "$pin: built in $(($(date +%s) - started)) s"
	else
		echo "$pin: does not build ($(($(date +%s) - started)) s)"
		cat "/build/out/$pin.log"
	fi
done
