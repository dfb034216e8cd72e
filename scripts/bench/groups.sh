#!/usr/bin/env bash
# Window with many groups and with overlapping windows, which have no peer here:
# EVENTS (5,000,000) of 1,000,000 and of 300,000 keys in one window, and LINES
# (3,900,000) of logs of 16 services in windows of 10 s and of 15 min every 10 s.
# ROUNDS (3). Of interest are records a second and core, memory, and what
# hopping costs over tumbling.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data
: "${EVENTS:=5000000}" "${LINES:=3900000}" "${ROUNDS:=3}"
logs=bench-data/logs-$LINES.ndjson
[ -s "$logs" ] || go run ./scripts/bench/gen "$LINES" >"$logs"
for keys in 1000000 300000; do
  data=bench-data/keys-$EVENTS-$keys.ndjson
  [ -s "$data" ] || go run ./scripts/bench/gen keys "$EVENTS" "$keys" >"$data"
done

window="bin/logctl window --quiet"
printf '\n### %d records, one window\n\n' "$EVENTS"
for keys in 1000000 300000; do
  printf "%d keys\t$window --size 1h --by key --agg 'count(), sum(value), avg(value)' bench-data/keys-$EVENTS-$keys.ndjson\n" $keys
done | python3 scripts/bench/measure.py "$ROUNDS"
printf '\n### %d records of 16 keys\n\n' "$LINES"
printf "%s\t$window %s --by service --agg 'count(), avg(latency_ms)' $logs\n" \
  "tumbling 10s" "--size 10s" "hopping 15m every 10s" "--size 15m --hop 10s" |
  python3 scripts/bench/measure.py "$ROUNDS"
