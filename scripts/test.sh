#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs all tests, with the race detector. Those that hold thousands of command lines against netstat only compute, and most others mostly wait: so they run
# side by side. The second's output is kept until the first is done. Tests that are marked as parallel wait more than they compute: four at a time.
set -euo pipefail
cd "$(dirname "$0")/.."

export CGO_ENABLED=1
lines='^(TestConformance|TestRandomLines|TestLines)$'
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -race -timeout 40m -run "$lines" ./cmd/netlive >"$out" 2>&1 &
conformance=$!
code=0
go test -race -parallel 4 -timeout 40m -skip "$lines" ./... || code=$?
wait "$conformance" || code=$?
echo "== $lines"
cat "$out"
exit "$code"
