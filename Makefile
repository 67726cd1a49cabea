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
	scripts/test.sh

.PHONY: conformance
conformance: test-deps ## Of the tests, those that hold command lines against netstat, with their count
	go test -count 1 -run TestConformance -v ./cmd/netlive -all-lines

.PHONY: test-deps
test-deps: ## Install the Debian packages that the tests need
	scripts/test-deps.sh

.PHONY: test-kernels
test-kernels: ## The tests of the kernel on all kernels of docs/kernels.md, under QEMU; KERNELS='amd64-6.1$$' for some
	scripts/kernel-deps.sh
	go run ./internal/kernels -only '$(KERNELS)'

.PHONY: check-kernels
check-kernels: test-cost ## The same on six of them, without the tests that take minutes, and test-cost
	go run ./internal/kernels -ci -short -own=false

.PHONY: test-cost
test-cost: ## Count the instructions of each BPF program, and fail for what has grown by a tenth
	scripts/kernel-deps.sh
	go run ./internal/kernels -cost

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, licences
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	scripts/licences.sh check

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

# Below this make install puts things, and make uninstall takes them away.
prefix = $(DESTDIR)$(or $(PREFIX),/usr/local)

.PHONY: install
install: build ## Install into PREFIX (/usr/local), with the manual and the completions of bash, zsh and fish
	install -D -m 755 bin/netlive $(prefix)/bin/netlive
	install -D -m 644 cmd/netlive/netlive.1 $(prefix)/share/man/man1/netlive.1
	bin/netlive completion bash | install -D -m 644 /dev/stdin $(prefix)/share/bash-completion/completions/netlive
	bin/netlive completion zsh | install -D -m 644 /dev/stdin $(prefix)/share/zsh/site-functions/_netlive
	bin/netlive completion fish | install -D -m 644 /dev/stdin $(prefix)/share/fish/vendor_completions.d/netlive.fish

.PHONY: uninstall
uninstall: ## Remove from PREFIX what make install put there
	rm -f $(prefix)/bin/netlive $(prefix)/share/man/man1/netlive.1 \
		$(prefix)/share/bash-completion/completions/netlive \
		$(prefix)/share/zsh/site-functions/_netlive \
		$(prefix)/share/fish/vendor_completions.d/netlive.fish

.PHONY: release
release: ## Make dist/ of the commit: static programs for amd64 and arm64 in archives, .deb and .rpm
	scripts/release.sh dist

.PHONY: check-release
check-release: ## Make dist/ twice from nothing, compare the bytes, install and try the packages
	scripts/check-release.sh dist

.PHONY: licences
licences: ## Write docs/licences.md: what is linked into netlive, under which licence
	scripts/licences.sh write

.PHONY: check-licences
check-licences: ## Fail when docs/licences.md is not what is linked, or a licence is not known
	scripts/licences.sh check

.PHONY: vulncheck
vulncheck: ## Ask Go's vulnerability database about netlive; VULNDB=DIRECTORY is a copy of it
	scripts/vulncheck.sh $(VULNDB)

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist
