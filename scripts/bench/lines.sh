#!/usr/bin/env bash
# What does not aggregate, beside the tools for it: passing lines on, filtering
# NDJSON, converting it to CSV. LINES (5,000,000: 1 GB) of 200 bytes are passed on;
# ROWS (390,000: 112 MB) of NDJSON are filtered and converted. ROUNDS (3).
# mlr and jq are Debian's; where they are missing they are left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data
: "${LINES:=5000000}" "${ROWS:=390000}" "${ROUNDS:=3}"
lines=bench-data/lines-$LINES.log rows=bench-data/logs-$ROWS.ndjson
[ -s "$lines" ] || bin/logctl produce --quiet --to - --generate http --limit "$LINES" |
  awk '{ printf "%-199.199s\n", $0 }' >"$lines"
[ -s "$rows" ] || go run ./scripts/bench/gen "$ROWS" >"$rows"

table() { # TITLE, then pairs NAME COMMAND; what is not installed is left out
  printf '\n### %s\n\n' "$1"
  shift
  while [ $# -gt 0 ]; do
    command -v "${2%% *}" >/dev/null && printf '%s\t%s\n' "$1" "$2"
    shift 2
  done | python3 scripts/bench/measure.py "$ROUNDS"
}

table "lines passed on to a pipe" \
  logctl "bin/logctl consume --quiet --from $lines | cat >/dev/null" \
  cat "cat $lines | cat >/dev/null" wc "wc -l $lines"
table "lines read to null:" \
  logctl "bin/logctl consume --quiet --from $lines --to null:" wc "wc -l $lines"
table "--where 'status >= 500'" \
  logctl "bin/logctl consume --quiet --from $rows --where 'status >= 500'" \
  mlr "mlr --ijsonl --ojsonl filter '\$status >= 500' $rows" jq "jq -c 'select(.status >= 500)' $rows"
table "NDJSON to CSV, four columns" \
  logctl "bin/logctl consume --quiet --from $rows --select timestamp,service,status,latency_ms -o csv" \
  mlr "mlr --ijsonl --ocsv cut -o -f timestamp,service,status,latency_ms $rows" \
  jq "jq -r '[.timestamp,.service,.status,.latency_ms]|@csv' $rows"
