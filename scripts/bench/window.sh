#!/usr/bin/env bash
# Window beside its peers: count, average and p99 of latency by service and
# minute over NDJSON. LINES (3,900,000: 1.12 GB), ROUNDS (3), PEERS (all, none, or
# some of "duckdb chdb polars mlr agrind"). The first three are installed into
# bench-data/venv from PyPI; mlr is Debian's miller, agrind is crates.io's ag.
# Peers that are not to be had are left out; mlr and agrind, which are tens of
# times slower, beyond 400,000 lines too.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data
: "${LINES:=3900000}" "${ROUNDS:=3}" "${PEERS:=all}"
data=bench-data/logs-$LINES.ndjson
[ -s "$data" ] || go run ./scripts/bench/gen "$LINES" >"$data"
[ "$PEERS" = all ] && PEERS="duckdb chdb polars mlr agrind"
[ "$PEERS" = none ] && PEERS=

python=bench-data/venv/bin/python
has() { # finds a peer, or installs it
  case $1 in
  mlr | agrind) [ "$LINES" -le 400000 ] && command -v "$1" >/dev/null ;;
  *)
    [ -x $python ] || python3 -m venv bench-data/venv
    $python -c "import $1" 2>/dev/null || bench-data/venv/bin/pip install -q "$1"
    ;;
  esac
}

{
  printf 'logctl\tbin/logctl window --quiet --size 1m --by service --agg "count(), avg(latency_ms), p99(latency_ms)" %s\n' "$data"
  for p in $PEERS; do
    has "$p" || continue
    case $p in
    mlr) printf 'mlr\tmlr --ijsonl --ocsv put '\''$m = substr($timestamp, 0, 15)'\'' then stats1 -a count,mean,p99 -f latency_ms -g service,m %s\n' "$data" ;;
    agrind) printf 'agrind\tagrind -f %s '\''* | json | timeslice(parseDate(timestamp)) 1m | count, avg(latency_ms), p99(latency_ms) by _timeslice, service'\'' -o json\n' "$data" ;;
    *) printf '%s\t%s scripts/bench/window_peers.py %s %s\n' "$p" $python "$p" "$data" ;;
    esac
  done
  printf 'grep -c\tgrep -c ERROR %s\n' "$data"
} | python3 scripts/bench/measure.py "$ROUNDS"
