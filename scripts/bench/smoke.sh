#!/usr/bin/env bash
# The benchmarks in small, in under a minute: each one runs, what it computes is
# right, and codecs, expressions, timestamps, sketches and windows allocate
# nothing for a record. It measures nothing: for that see docs/BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x bin/logctl ] || make build
fail() {
  echo "smoke: $*" >&2
  exit 1
}

LINES=20000 ROUNDS=1 PEERS=none scripts/bench/window.sh
counted=$(grep -o '"count":[0-9]*' bench-out/logctl | awk -F: '{ n += $2 } END { print n }')
[ "$counted" = 20000 ] || fail "window counted ${counted:-nothing} of 20000 records"

LINES=20000 ROWS=2000 ROUNDS=1 scripts/bench/lines.sh
[ "$(wc -l <bench-out/logctl)" = 2001 ] || fail "a CSV of 2000 rows has $(wc -l <bench-out/logctl) lines"

EVENTS=20000 LINES=20000 ROUNDS=1 scripts/bench/groups.sh
EVENTS=20000 USERS=1000 ROUNDS=1 PEERS=none scripts/bench/sessions.sh
counted=$(grep -o '"events":[0-9]*' bench-out/logctl | awk -F: '{ n += $2 } END { print n }')
[ "$counted" = 20000 ] || fail "sessions count ${counted:-nothing} of 20000 events"

if command -v kcat >/dev/null; then
  LINES=20000 ROUNDS=1 CODECS=snappy scripts/bench/kafka.sh
fi

# The allocations of starting are shared out among the turns of a benchmark: so
# many turns that one a record shows. Go's own regular expressions allocate.
go test -run '^$' -bench . -benchtime 500x -benchmem ./pkg/codec ./pkg/expr ./pkg/record ./pkg/sketch ./pkg/stamp \
  >bench-out/go.txt || fail "$(cat bench-out/go.txt)"
go test -run '^$' -bench '^BenchmarkOp$' -benchtime 500x -benchmem ./pkg/window >>bench-out/go.txt ||
  fail "$(cat bench-out/go.txt)"
awk '/allocs\/op/ { n++; if ($1 !~ /^BenchmarkRegex/ && $(NF-1) > 0) { print; bad = 1 } }
  END { printf "%d benchmarks\n", n; exit bad || n < 40 }' bench-out/go.txt ||
  fail "benchmarks allocate (the list above), or too few of them ran"
