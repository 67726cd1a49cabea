#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that the tests run: the peers that netlive is compared
# with, real servers and clients, and a C compiler for the race detector.
set -euo pipefail

declare -A package=(
	[gcc]=gcc [netstat]=net-tools [ss]=iproute2 [redis-server]=redis-server
	[redis-cli]=redis-tools [nginx]=nginx-light [curl]=curl [tmux]=tmux
)
# Servers are in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
missing=()
for tool in "${!package[@]}"; do
	command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
if ((${#missing[@]})); then
	scripts/apt-install.sh "${missing[@]}"
fi
