#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: scripts/soak.sh TIME
# Runs netlive watch for TIME over connections that come and go in several namespaces, with a loss of events in the middle,
# and then over a crowd in TIME_WAIT for its whole minute. As root; prints figures each ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

go vet -tags soak ./cmd/netlive
SOAK=$1 go test -tags soak -count 1 -timeout 0 -v -run '^TestSoak' ./cmd/netlive
