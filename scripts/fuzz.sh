#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/fuzz.sh TIME [REGEXP]
# Runs every fuzz target in the tree for TIME, or those whose "PACKAGE TARGET" matches REGEXP, one after the other, and prints a table. A target that
# fails does not keep the others from being run; the exit code is 1 then, and the input is in the package's testdata/fuzz.
# FUZZPARALLEL is how many processes work at a time: all processors if it is not set.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: scripts/fuzz.sh TIME [REGEXP]}
parallel=${FUZZPARALLEL:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the sources say, and what go test would run: a target in a file that is not built, or one whose name is no name of a target, is missed by one.
grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(f \*testing\.F\)' . | sed 's/^func //; s/(.*//' | sort >"$work/written"
go test -list '^Fuzz' ./... >"$work/listed"
awk '/^Fuzz/ { targets[++n] = $1; next } /^ok/ { for (i = 1; i <= n; i++) print $2, targets[i]; n = 0 }' "$work/listed" | sort >"$work/targets"
cut -d' ' -f2 "$work/targets" | sort >"$work/found"
if ! diff "$work/written" "$work/found" >&2; then
	echo 'fuzz.sh: the targets in the sources (<) are not those that go test finds (>)' >&2
	exit 1
fi

failed=0
printf '%-24s %-20s %12s %9s %6s %6s  %s\n' PACKAGE TARGET EXECUTIONS A-SECOND NEW TOTAL RESULT >"$work/table"
while read -r package target <&3; do
	if [[ -n ${2:-} && ! "$package $target" =~ $2 ]]; then
		continue
	fi
	echo "== $package $target"
	result=ok
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x -parallel "$parallel" "$package" >"$work/out" 2>&1; then
		result=FAILED
		failed=$((failed + 1))
		tail -n 40 "$work/out"
	fi
	# fuzz: elapsed: 20s, execs: 181881 (9020/sec), new interesting: 3 (total: 41)
	awk -v package="${package#netlive/}" -v target="$target" -v result="$result" '
		/^fuzz: elapsed: .*execs:/ {
			split($3, s, /[^0-9]+/)
			seconds = $3 ~ /m/ ? 60 * s[1] + s[2] : s[1]
			execs = $5
			for (i = 6; i < NF; i++) {
				if ($i == "interesting:") fresh = $(i + 1)
				if ($i == "(total:") total = $(i + 1) + 0
			}
		}
		END { printf "%-24s %-20s %12d %9d %6d %6d  %s\n", package, target, execs, seconds ? execs / seconds : 0, fresh, total, result }
	' "$work/out" >>"$work/table"
done 3<"$work/targets"

cat "$work/table"
awk -v failed="$failed" 'NR > 1 { n++; execs += $3 } END { printf "%d targets, %d executions, %d failed\n", n, execs, failed; exit !n }' "$work/table"
[[ $failed == 0 ]]
