#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/bench.sh [SIZE...]
# Measures netlive beside netstat, ss, tcpstates and bpftrace and writes the figures as Markdown to BENCH_OUT, or to stdout; how far it
# is to stderr. As root, on a machine that does nothing else. SIZE are the numbers of TCP sockets in the tables (20 to 198,000, and a million where
# there is memory for it); BENCH_ROUNDS (5) and BENCH_STORM (100000 connections) make it shorter.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${BENCH_OUT:-$(mktemp)}
if [[ -z ${BENCH_OUT:-} ]]; then
	trap 'rm -f "$out"' EXIT
fi
out=$(realpath "$out") # go test runs in the package's directory
: >"$out"

go vet -tags bench ./cmd/netlive
failed=0
BENCH_SIZES=$* BENCH_OUT=$out go test -tags bench -count 1 -timeout 0 -v -run '^TestBench' ./cmd/netlive >&2 || failed=$?
{
	printf '\n## Go benchmarks\n\n```\n'
	go test -timeout 30m -run '^$' -bench . -benchmem ./internal/{table,tracer,render,view,procfallback} || failed=$?
	printf '```\n'
} >>"$out"

if [[ -z ${BENCH_OUT:-} ]]; then
	cat "$out"
fi
exit "$failed"
