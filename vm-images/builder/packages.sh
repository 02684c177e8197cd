#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mmdebstrap hook: writes what is installed in root $1 (package, version, architecture, SHA-256 of the archive) to
# /usr/share/pmvx/packages.tsv. A digest that no list names is "-".
set -eu
mkdir -p "$1/usr/share/pmvx"
awk -F': ' '
	FNR == 1 { status = FILENAME ~ /dpkg\/status$/ }
	$1 == "Package" { package = $2 }
	$1 == "Version" { version = $2 }
	$1 == "Architecture" { architecture = $2 }
	$1 == "SHA256" { digest = $2 }
	$1 == "Status" { installed = $2 ~ / installed$/ }
	/^$/ {
		key = package "\t" version "\t" architecture
		if (status) { if (installed) print key "\t" (key in digests ? digests[key] : "-") }
		else digests[key] = digest
		digest = ""
	}
' "$1"/var/lib/apt/lists/*_Packages "$1/var/lib/dpkg/status" | LC_ALL=C sort >"$1/usr/share/pmvx/packages.tsv"
