#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the emulators in which the tests of other kernels run.
set -euo pipefail

declare -A package=(
	[qemu-system-x86_64]=qemu-system-x86 [qemu-system-aarch64]=qemu-system-arm [qemu-system-s390x]=qemu-system-misc
)
missing=()
for tool in "${!package[@]}"; do
	command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
if ((${#missing[@]})); then
	scripts/apt-install.sh "${missing[@]}"
fi
