#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/vulncheck.sh [DATABASE]
# Fails when netlive calls anything that Go's vulnerability database tells of. DATABASE is its address, or, where that cannot be reached, a directory: of a copy
# of it, or data/osv of a clone of golang/vulndb. A database that cannot be read is a failure too, and never "nothing found".
set -euo pipefail
cd "$(dirname "$0")/.."
# 1.9 wants a module that not every proxy has.
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.8.0

db=${1:-https://vuln.go.dev}
if [[ -d $db ]]; then
	newest=$(find "$db" -name 'GO-*.json' -printf '%f\n' | sort -V | tail -n 1)
	if [[ -z $newest ]]; then
		echo "vulncheck: $db has no GO-*.json in it" >&2
		exit 1
	fi
	echo "vulncheck: $db, whose newest entry is ${newest%.json}"
	db=file://$(cd "$db" && pwd)
fi
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
GOBIN=$tool go install "$govulncheck"
for arch in amd64 arm64; do
	code=0
	GOOS=linux GOARCH=$arch CGO_ENABLED=0 "$tool/govulncheck" -db "$db" ./cmd/netlive || code=$?
	case $code in
	0) ;;
	3)
		echo "vulncheck: linux/$arch is affected, as told above" >&2
		exit 1
		;;
	*)
		echo "vulncheck: nothing was checked (exit code $code): is $db within reach? make vulncheck VULNDB=DIRECTORY takes a copy of it" >&2
		exit 1
		;;
	esac
done
