#!/usr/bin/env bash
# Sessionize beside its peers: sessions of users, no more than half an hour
# apart, a row for each. EVENTS (10,000,000: 759 MB) of USERS (500,000), ROUNDS
# (3), PEERS (all, none, or some of "duckdb chdb windows"). The peers are
# installed into bench-data/venv from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data
: "${EVENTS:=10000000}" "${USERS:=500000}" "${ROUNDS:=3}" "${PEERS:=all}"
data=bench-data/clicks-$EVENTS.ndjson
[ -s "$data" ] || go run ./scripts/bench/gen "$EVENTS" "$USERS" >"$data"
[ "$PEERS" = all ] && PEERS="duckdb chdb windows"
[ "$PEERS" = none ] && PEERS=

python=bench-data/venv/bin/python
if [ -n "$PEERS" ]; then
  [ -x $python ] || python3 -m venv bench-data/venv
  $python -c "import duckdb, chdb" 2>/dev/null || bench-data/venv/bin/pip install -q duckdb chdb
fi

{
  printf 'logctl\tbin/logctl sessionize --quiet --key user_id --gap 30m %s\n' "$data"
  for p in $PEERS; do
    printf '%s\t%s scripts/bench/sessions_peers.py %s %s\n' "$p" $python "$p" "$data"
  done
} | python3 scripts/bench/measure.py "$ROUNDS"
for p in $PEERS; do # a line more: the names of the columns
  printf '%s: %d sessions, logctl %d\n' "$p" "$(($(wc -l <"bench-out/$p") - 1))" "$(wc -l <bench-out/logctl)"
done
