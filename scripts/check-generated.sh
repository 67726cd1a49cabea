#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/check-generated.sh CLANG
# Compiles the BPF programs again and fails when a committed file differs.
set -euo pipefail
cd "$(dirname "$0")/.."
clang=$1

missing=()
command -v "$clang" >/dev/null || missing+=("$clang")
command -v llvm-strip >/dev/null || missing+=(llvm)
[[ -e /usr/include/bpf/bpf_helpers.h ]] || missing+=(libbpf-dev)
if ((${#missing[@]})); then
	scripts/apt-install.sh "${missing[@]}"
fi
make generate CLANG="$clang"
if ! git diff --exit-code --stat -- internal/tracer; then
	echo "check-generated: bpf/ and internal/tracer/bpf_bpfe?.* do not belong together." >&2
	echo "Run make generate with $("$clang" --version | head -n 1) and commit the result." >&2
	exit 1
fi
