#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/check-release.sh DIR
# Makes the release twice, of two clones in two places with nothing compiled before, and fails unless the bytes are the same. Then tries what is in DIR: installs
# the packages into empty roots and removes them, asks the shells what they offer, runs what is for arm64 under QEMU.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
dist=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

missing=()
declare -A package=([readelf]=binutils [rpm]=rpm [fish]=fish [zsh]=zsh [man]=man-db [lintian]=lintian [qemu-aarch64-static]=qemu-user-static)
for tool in "${!package[@]}"; do
	command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
[[ -e /usr/share/bash-completion/bash_completion ]] || missing+=(bash-completion)
((${#missing[@]} == 0)) || scripts/apt-install.sh "${missing[@]}"

fail() {
	echo "check-release: $*" >&2
	exit 1
}

# What could be in the bytes and must not: the place, the user's mask, the time zone, the language, what was compiled before. Modules are as go.sum has them.
git clone -q . "$work/one"
git clone -q . "$work/another place of another length"
(umask 022 && GOCACHE=$work/cache1 "$work/one/scripts/release.sh" "$dist" >/dev/null)
(umask 077 && TZ=Asia/Tokyo LANG=de_DE.UTF-8 GOCACHE=$work/cache2 "$work/another place of another length/scripts/release.sh" "$work/dist" >/dev/null)
cmp "$dist/SHA256SUMS" "$work/dist/SHA256SUMS" || fail "the same commit gave other bytes"
(cd "$dist" && sha256sum -c SHA256SUMS)
echo "check-release: twice the same bytes"

# tried runs what an installation below $1 has, zsh's part in $2.
tried() {
	local bin=$1/usr/bin/netlive share=$1/usr/share offered
	"$bin" version
	"$bin" -tan >/dev/null
	[[ $(man -M "$share/man" -w netlive) == "$share/man/man1/netlive.1.gz" ]] || fail "no manual page"
	# bash splits words at = too.
	offered=$(PATH=$1/usr/bin:$PATH bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$0"
		COMP_LINE="netlive watch --source=e" COMP_POINT=24 COMP_WORDS=(netlive watch --source = e) COMP_CWORD=4 COMP_TYPE=9
		__start_netlive 2>/dev/null # compopt minds that nobody is at a prompt
		echo "${COMPREPLY[@]}"' "$share/bash-completion/completions/netlive")
	[[ $offered == ebpf* ]] || fail "bash completes --source=e to '$offered'"
	offered=$(PATH=$1/usr/bin:$PATH fish --no-config -c "source '$share/fish/vendor_completions.d/netlive.fish'; complete -C 'netlive watch --source e'")
	[[ $offered == ebpf ]] || fail "fish completes --source e to '$offered'"
	offered=$(zsh -fc "fpath=('$2' \$fpath); autoload -U compinit; compinit -u -D; echo \$_comps[netlive]")
	[[ $offered == _netlive ]] || fail "zsh completes netlive by '$offered'"
	# Nothing is set that an administrator has not asked for.
	[[ -z $(command -v getcap >/dev/null && getcap "$bin") ]] || fail "it has capabilities"
}

# emptied fails when anything of netlive is left below $1.
emptied() { [[ -z $(find "$1/usr" -name '*netlive*' 2>/dev/null) ]] || fail "removed, and left behind: $(find "$1/usr" -name '*netlive*')"; }

deb=$(ls "$dist"/netlive_*_amd64.deb)
lintian --fail-on error,warning --allow-root "$deb"
root=$work/deb
mkdir -p "$root"/var/lib/dpkg/{info,updates}
touch "$root"/var/lib/dpkg/{status,available}
dpkg --root="$root" -i "$deb" >/dev/null
tried "$root" "$root/usr/share/zsh/vendor-completions"
dpkg --root="$root" -r netlive >/dev/null
emptied "$root"

root=$work/rpm
rpm=$(ls "$dist"/netlive-*.x86_64.rpm)
mkdir "$root"
rpm --root="$root" --nodeps -i "$rpm" 2>/dev/null
rpm --root="$root" -V netlive
tried "$root" "$root/usr/share/zsh/site-functions"
rpm --root="$root" -e netlive
emptied "$root"

mkdir "$work/tar"
tar -C "$work/tar" --strip-components=1 -xzf "$dist"/netlive-*-linux-amd64.tar.gz
"$work/tar/bin/netlive" version
cmp "$work/tar/share/doc/netlive/GPL-3" packaging/GPL-3
dpkg-deb -x "$dist"/netlive_*_arm64.deb "$work/arm64"
cmp "$work/arm64/usr/bin/netlive" <(tar -xzOf "$dist"/netlive-*-linux-arm64.tar.gz --wildcards '*/bin/netlive') || fail "the archive has another program than the package"
for arg in version -tan --help; do
	qemu-aarch64-static "$work/arm64/usr/bin/netlive" "$arg" >"$work/out" || fail "arm64: netlive $arg: exit code $?"
	[[ -s $work/out ]] || fail "arm64: netlive $arg printed nothing"
done
ls -l "$dist"
echo "check-release: installed, tried and removed"
