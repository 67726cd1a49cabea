#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that the tests run: the peers that netlive is compared
# with and its languages, real servers and clients, and a C compiler for the race detector.
set -euo pipefail

declare -A package=(
	[gcc]=gcc [netstat]=net-tools [ss]=iproute2 [redis-server]=redis-server
	[redis-cli]=redis-tools [redis-benchmark]=redis-tools [nginx]=nginx-light [curl]=curl [tmux]=tmux [strace]=strace
	[bpftool]=bpftool [iptables]=iptables [cpio]=cpio [tcplife]=libbpf-tools [tcpstates]=libbpf-tools
)
# Servers are in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
missing=()
for tool in "${!package[@]}"; do
	command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql) # of any version, and not on PATH
# The C library's own texts, which netstat prints translated.
[[ -e /usr/share/locale/de/LC_MESSAGES/libc.mo ]] || missing+=(libc-l10n)
[[ -e /usr/share/i18n/locales/de_DE ]] || missing+=(locales)
# A program that reads netstat's output.
[[ -e /usr/share/munin/plugins/netstat ]] || missing+=(munin-plugins-core)
if ((${#missing[@]})); then
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
	scripts/apt-install.sh "${missing[@]}"
fi
