#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/licences.sh write|check|texts
# What is linked into netlive, and under which licences: write makes docs/licences.md, check fails when that is not what it should be, texts
# prints the licences themselves, for packages.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

# linked lists module, version and directory of all that some architecture's netlive has in it. Tests and tools are not in it.
linked() {
	local arch
	for arch in amd64 arm64 s390x; do
		GOOS=linux GOARCH=$arch CGO_ENABLED=0 go list -deps \
			-f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/netlive
	done | sort -u
}

# files lists the licences of the module in a directory, and what must go with them.
files() {
	find "$1" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'patents' \) | sort
}

# kind names the licence in a file, by what only its text has, in any case. One that is not known is for a person to read.
kind() {
	local text
	text=$(tr -s '[:space:]' ' ' <"$1" | tr '[:upper:]' '[:lower:]')
	case $text in
	*"spdx-license-identifier: bsd-3-clause or gpl-2.0-only"*) echo "BSD-3-Clause OR GPL-2.0-only" ;;
	*"apache license version 2.0, january 2004"*) echo Apache-2.0 ;;
	*"permission is hereby granted, free of charge, to any person obtaining a copy"*) echo MIT ;;
	*"redistribution and use in source and binary forms"*"neither the name"*) echo BSD-3-Clause ;;
	*"redistribution and use in source and binary forms"*) echo BSD-2-Clause ;;
	*"additional ip rights grant (patents)"*) echo patents ;; # Google's promise beside its BSD-3-Clause takes no right away
	*)
		echo "licences: $1: a licence that is not known; may GPL-2.0-or-later be linked with it?" >&2
		return 1
		;;
	esac
}

list() {
	cat packaging/licences.head.md
	local module version dir file kinds
	while read -r module version dir; do
		kinds=()
		for file in $(files "$dir"); do
			kinds+=("$(kind "$file")") || exit 1
		done
		if ((${#kinds[@]} == 0)); then
			echo "licences: $module has no licence" >&2
			exit 1
		fi
		printf '| %s | %s | %s |\n' "$module" "$version" "$(printf '%s\n' "${kinds[@]}" | sed '/^patents$/d' | sort -u | paste -sd, | sed 's/,/ AND /g')"
	done <<<"$modules"
	# Go's licence is not where all distributions of Go have it; golang.org/x/sys has the same text.
	echo '| the Go standard library and runtime | that of the build | BSD-3-Clause |'
}

texts() {
	echo "netlive is linked with the modules below, each under its own licence. docs/licences.md says what that means for the whole."
	local module version dir file
	while read -r module version dir; do
		[[ $module == golang.org/x/sys ]] && module="$module $version, and the Go standard library and runtime" version=
		printf '\n%s\n%s\n' "$(printf '=%.0s' {1..79})" "$module${version:+ $version}"
		for file in $(files "$dir"); do
			printf -- '--- %s\n\n' "$(basename "$file")"
			tr -d '\r' <"$file"
		done
	done <<<"$modules"
}

modules=$(linked)
case ${1-} in
write) list >docs/licences.md.new && mv docs/licences.md.new docs/licences.md ;;
texts) texts ;;
check)
	should=$(list)
	if [[ $should != "$(cat docs/licences.md)" ]]; then
		diff docs/licences.md <(echo "$should") >&2 || true
		echo "licences: docs/licences.md is not what is linked: run make licences, read what changed and commit it" >&2
		exit 1
	fi
	;;
*)
	sed -n '3s/^# //p' "$0" >&2
	exit 2
	;;
esac
