# make help lists the targets.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PREFIX  ?= /usr/local
FUZZTIME ?= 20s
PKGS    ?= ./...

.DEFAULT_GOAL := build
.PHONY: help build install test lint race kafka-test postgres-test fuzz bench bench-smoke demo completions man cover clean

help: ## list the targets
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

build: ## the static binary bin/logctl
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/logctl ./cmd/logctl

install: build ## binary, man pages and completions under PREFIX
	install -Dm755 bin/logctl $(DESTDIR)$(PREFIX)/bin/logctl
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -Dm644 completions/logctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/logctl
	install -Dm644 completions/_logctl $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_logctl
	install -Dm644 completions/logctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/logctl.fish

# Many tests wait for processes rather than for a core.
PARALLEL ?= 6

test: ## unit, script, property and fuzz-seed tests; nothing to install
	$(GO) test -p 3 -parallel $(PARALLEL) -timeout 20m $(PKGS)

lint: ## formatting, vet and the linters of .golangci.yml
	$(GO) tool -modfile=scripts/tools/go.mod golangci-lint run $(PKGS)

race: ## the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=1 $(GO) test -race -parallel $(PARALLEL) -timeout 30m $(PKGS)

kafka-test: ## integration tests against a real Apache Kafka (needs Java 17 and Maven)
	$(GO) test -tags kafka -run Apache -count 1 -p 1 -timeout 25m ./pkg/kafka/... ./cmd/logctl/...

postgres-test: ## integration tests against a real PostgreSQL (needs its server installed)
	TEST_POSTGRES=1 $(GO) test -run '^TestPostgres$$' -count 1 -timeout 15m ./cmd/logctl

fuzz: ## every fuzz target for FUZZTIME
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd pkg | sed 's/:func / /' | sort -u | \
	while read -r file target; do \
	  echo "== $$target in $$(dirname "$$file")"; \
	  $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; \
	done

bench: ## the Go benchmarks, for benchstat
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

bench-smoke: ## the benchmarks in small: they run, are right, and allocate nothing a record
	scripts/bench/smoke.sh

demo: build ## a real access log through Kafka and back, in three ways that agree
	scripts/demo.sh

completions man: ## write completions/ and docs/man from the command tree
	$(GO) test ./cmd/logctl -run '^TestGenerated$$' -update

cover: ## coverage of the tests, as bin/cover.html
	@mkdir -p bin
	$(GO) test -coverpkg ./... -coverprofile bin/cover.out $(PKGS)
	$(GO) tool cover -html bin/cover.out -o bin/cover.html
	$(GO) tool cover -func bin/cover.out | tail -n 1

clean: ## remove what the targets made
	rm -rf bin
