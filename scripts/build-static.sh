#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/build-static.sh ARCH FILE
# Builds netlive for Linux on ARCH (amd64, arm64) into FILE: static, and with the same bytes wherever, whenever and by whomever it is built from one
# commit with one version of Go. BUILDVCS=false leaves the commit out, where there is no repository.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the environment has to say would be in the bytes. A file of go env -w speaks only where a variable is empty, hence values that change nothing.
export GOOS=linux GOARCH=$1 GOAMD64=v1 GOARM64=v8.0 CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off GOFIPS140=off
if [[ -n $(go env GOEXPERIMENT) ]]; then
	echo "build-static: GOEXPERIMENT is set, which makes another program" >&2
	exit 1
fi
# The build ID is a hash of how it was built, and of nothing that is in it.
go build -trimpath -buildvcs="${BUILDVCS:-true}" -ldflags '-s -w -buildid=' -o "$2" ./cmd/netlive
