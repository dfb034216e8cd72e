#!/usr/bin/env bash
# Window beside its peers: count, average and p99 of latency by service and
# minute over NDJSON. LINES (3,900,000: 1.12 GB), ROUNDS (3).
# Peers are installed into bench-data/venv from PyPI; those that are not to be had are left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data
data=bench-data/logs-${LINES:=3900000}.ndjson
[ -s "$data" ] || go run ./scripts/bench/gen "$LINES" >"$data"
peers=(duckdb)
if [ "${PEERS:-all}" = all ]; then peers=(duckdb chdb polars); fi
if [ "${PEERS:-all}" != none ]; then
  [ -d bench-data/venv ] || python3 -m venv bench-data/venv
  for p in "${peers[@]}"; do
    bench-data/venv/bin/python -c "import $p" 2>/dev/null || bench-data/venv/bin/pip install -q "$p" || true
  done
fi
{
  printf 'logctl\tbin/logctl window --quiet --size 1m --by service --agg "count(), avg(latency_ms), p99(latency_ms)" %s\n' "$data"
  if [ "${PEERS:-all}" != none ]; then
    for p in "${peers[@]}"; do
      bench-data/venv/bin/python -c "import $p" 2>/dev/null &&
        printf '%s\tbench-data/venv/bin/python scripts/bench/window_peers.py %s %s\n' "$p" "$p" "$data"
    done
    command -v mlr >/dev/null && [ "$LINES" -le 400000 ] &&
      printf 'mlr\tmlr --ijsonl --ocsv put '\''$m = substr($timestamp, 0, 15)'\'' then stats1 -a count,mean,p99 -f latency_ms -g service,m %s\n' "$data"
  fi
  printf 'grep -c\tgrep -c ERROR %s\n' "$data"
} | python3 scripts/bench/measure.py "${ROUNDS:-3}"
