#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/release.sh DIR
# Makes in DIR what is released of the commit that is checked out: for amd64 and arm64 an archive, a .deb and a .rpm, and SHA256SUMS of them. The same commit and the same
# version of Go give the same bytes: nothing in them tells when, where or by whom they were made.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mkdir -p "$1"
dist=$(cd "$1" && pwd)
# 2.46 and later want modules that not every proxy has.
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
arches=(amd64 arm64)

if [[ -n $(git status --porcelain) ]]; then
	echo "release: a release is made of a commit, and there are changes that are in none:" >&2
	git status --short >&2
	exit 1
fi
command -v readelf >/dev/null || scripts/apt-install.sh binutils

umask 022
export LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for arch in "${arches[@]}"; do
	scripts/build-static.sh "$arch" "$work/$arch/netlive"
	# A static program names no loader, and has nothing for one.
	if readelf -lW "$work/$arch/netlive" | grep -E 'INTERP|DYNAMIC' >&2; then
		echo "release: netlive for $arch is not static" >&2
		exit 1
	fi
done

# The version is the one that netlive tells: Go writes it there from the tags.
NETLIVE_VERSION=$(go version -m "$work/amd64/netlive" | awk '$1 == "mod" {print $3}')
NETLIVE_VERSION=${NETLIVE_VERSION#v}
# In packages what comes before a version (1.2.0-rc1, or a commit without a tag) is after a ~, and has no -.
before=${NETLIVE_VERSION#*-}
[[ $before == "$NETLIVE_VERSION" ]] && before= || before="~${before//-/.}"
export NETLIVE_VERSION PACKAGE_VERSION=${NETLIVE_VERSION%%-*}$before

# What is not of one architecture, where an installation has it.
share=$work/share
doc=$share/doc/netlive
mkdir -p "$share"/man/man1 "$share"/bash-completion/completions "$share"/zsh/site-functions "$share"/fish/vendor_completions.d "$doc"/docs
gzip -9n <cmd/netlive/netlive.1 >"$share/man/man1/netlive.1.gz"
GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -trimpath -o "$work/here" ./cmd/netlive
"$work/here" completion bash >"$share/bash-completion/completions/netlive"
"$work/here" completion zsh >"$share/zsh/site-functions/_netlive"
"$work/here" completion fish >"$share/fish/vendor_completions.d/netlive.fish"
cp README.md CHANGELOG.md LICENSE packaging/GPL-3 "$doc"
cp docs/*.md docs/*.json "$doc/docs"
scripts/licences.sh texts >"$doc/THIRD_PARTY_LICENSES"
cp packaging/copyright "$doc/copyright"
cat >"$work/lintian" <<EOF
# As it is meant to be.
netlive: statically-linked-binary [usr/bin/netlive]
# This is no package of Debian's archive, which has bugs to close.
netlive: initial-upload-closes-no-bugs [usr/share/doc/netlive/changelog.Debian.gz:1]
# README.md refers to it by this name.
netlive: wrong-name-for-upstream-changelog [usr/share/doc/netlive/CHANGELOG.md]
EOF
gzip -9n >"$doc/changelog.Debian.gz" <<EOF
netlive ($PACKAGE_VERSION-1) unstable; urgency=medium

  * CHANGELOG.md says what is new.

 -- netlive authors <authors@netlive.invalid>  $(date -R -d "@$SOURCE_DATE_EPOCH")
EOF
chmod -R u=rwX,go=rX "$work"
find "$work" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

rm -f "$dist"/netlive[-_]* "$dist/SHA256SUMS"
for arch in "${arches[@]}"; do
	name=netlive-$NETLIVE_VERSION-linux-$arch
	mkdir -p "$work/tar/$name/bin"
	cp -a "$work/$arch/netlive" "$work/tar/$name/bin"
	cp -a "$share" "$work/tar/$name"
	rm "$work/tar/$name/share/doc/netlive/"{changelog.Debian.gz,copyright} # Debian's
	find "$work/tar/$name" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	tar -C "$work/tar" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "$name" |
		gzip -9n >"$dist/$name.tar.gz"
	for packager in deb rpm; do
		(cd "$work" && PACKAGE_ARCH=$arch GOFLAGS=-mod=mod go run "$nfpm" package --config "$root/packaging/nfpm.yaml" --packager $packager --target "$dist")
	done
done
cd "$dist"
sha256sum netlive[-_]* >SHA256SUMS
ls -l
