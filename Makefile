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

# With AGAIN=1, as in .ci/run, tests that failed are run a second time if they are few,
# and are listed in any case: kills and clusters leave something to luck. Data races do not.
gotest = $(if $(AGAIN),$(GO) tool -modfile=scripts/tools/go.mod gotestsum --format pkgname --rerun-fails=1 \
	--rerun-fails-max-failures=4 --rerun-fails-abort-on-data-race --packages '$(1)' -- $(2),$(GO) test $(2) $(1))

test: ## unit, script, property and fuzz-seed tests; nothing to install
	$(call gotest,$(PKGS),-p 3 -parallel $(PARALLEL) -timeout 40m)

lint: ## formatting, vet and the linters of .golangci.yml
	$(GO) tool -modfile=scripts/tools/go.mod golangci-lint run $(PKGS)

race: ## the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=1 $(call gotest,$(PKGS),-race -parallel $(PARALLEL) -timeout 60m)

kafka-test: ## integration tests against a real Apache Kafka (needs Java 17 and Maven)
	$(call gotest,./pkg/kafka/... ./cmd/logctl/...,-tags kafka -run Apache -count 1 -p 1 -timeout 40m)

postgres-test: ## integration tests against a real PostgreSQL (needs its server installed)
	TEST_POSTGRES=1 $(call gotest,./cmd/logctl,-run '^TestPostgres$$' -count 1 -timeout 30m)

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
