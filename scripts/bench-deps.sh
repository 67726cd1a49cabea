#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that the measurements run: the peers, and what measures them.
set -euo pipefail

declare -A package=(
	[netstat]=net-tools [ss]=iproute2 [tcpstates]=libbpf-tools [bpftrace]=bpftrace
	[bpftool]=bpftool [time]=time [stdbuf]=coreutils [tmux]=tmux
)
# The tracers are in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
missing=()
for tool in "${!package[@]}"; do
	# type -P: time is a word of the shell's too.
	type -P "$tool" >/dev/null || missing+=("${package[$tool]}")
done
if ((${#missing[@]})); then
	scripts/apt-install.sh "${missing[@]}"
fi
