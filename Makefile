# SPDX-License-Identifier: GPL-2.0-or-later

# Building needs Go and make. The tests need Debian packages too, which `make test` installs.
export CGO_ENABLED ?= 0

# bpf2go's output is committed and depends on the compiler: check-generated compares bytes.
# clang 14 is Debian 12's; libbpf's headers are those of its libbpf-dev.
CLANG ?= clang-14

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/netlive
	go build -trimpath -o bin/netlive ./cmd/netlive

.PHONY: run
run: build ## Build and start the live view of all TCP sockets (as root by BPF, else by /proc)
	bin/netlive watch -atnp

.PHONY: test
test: test-deps ## Install what the tests need and run them all (root: on the real kernel)
	CGO_ENABLED=1 go test -race -timeout 40m ./...

.PHONY: conformance
conformance: test-deps ## Of the tests, those that hold command lines against netstat, with their count
	go test -count 1 -run TestConformance -v ./cmd/netlive

.PHONY: test-deps
test-deps: ## Install the Debian packages that the tests need
	scripts/test-deps.sh

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

.PHONY: generate
generate: ## Compile the BPF programs again (needs clang-14 and libbpf-dev)
	BPF2GO_CC=$(CLANG) go generate ./internal/tracer

.PHONY: check-generated
check-generated: ## Fail when the committed BPF objects are not what bpf/ compiles to
	scripts/check-generated.sh $(CLANG)

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (60s)
	scripts/fuzz.sh $(FUZZTIME)

FORTIME ?= 10m
.PHONY: soak
soak: test-deps ## Run watch over churning connections for FORTIME (10m), with a loss in the middle
	scripts/soak.sh $(FORTIME)

.PHONY: bench
bench: ## Measure netlive beside netstat, ss, tcpstates and bpftrace; SIZES="20 1000" for some sizes alone
	scripts/bench-deps.sh
	scripts/bench.sh $(SIZES)

.PHONY: install
install: build ## Install into PREFIX (/usr/local)
	install -D -m 755 bin/netlive $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/netlive
	install -D -m 644 cmd/netlive/netlive.1 $(DESTDIR)$(or $(PREFIX),/usr/local)/share/man/man1/netlive.1

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
