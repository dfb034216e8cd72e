#!/usr/bin/env bash
# Ships a real access log through an embedded broker and reads it back in three
# ways that agree. Leaves no process and no file behind.
set -euo pipefail
cd "$(dirname "$0")/.."
logctl=$PWD/bin/logctl
log=testdata/logs/apache_access.log
tmp=$(mktemp -d)
broker=
cleanup() {
  [ -z "$broker" ] || { kill "$broker" 2>/dev/null && wait "$broker" || true; }
  rm -rf "$tmp"
}
trap cleanup EXIT

step() { printf '\n\033[1m$ %s\033[0m\n' "$*" | sed "s|$logctl|logctl|g"; }
[ -t 1 ] || step() { printf '\n$ %s\n' "$*" | sed "s|$logctl|logctl|g"; }

step "logctl broker --addr :0 &"
"$logctl" broker --addr :0 >"$tmp/address" &
broker=$!
for _ in $(seq 600); do [ -s "$tmp/address" ] && break; sleep 0.1; done
LOGCTL_BROKERS=$(head -n 1 "$tmp/address")
export LOGCTL_BROKERS

step "logctl topic create access --partitions 3"
"$logctl" topic create access --partitions 3

step "logctl produce --to kafka:access --key client $log"
"$logctl" produce --to kafka:access --key client "$log"

agg='requests=count(), clients=distinct(client), errors=ratio(status >= 400), p50(bytes), p99(bytes)'

step "logctl consume --from kafka:access --stop end --time-field timestamp | logctl window --size 1h --agg '$agg'"
"$logctl" consume --from kafka:access --stop end --time-field timestamp | "$logctl" window --size 1h --agg "$agg" >"$tmp/pipe"

step "logctl window --from kafka:access --stop end --size 1h --agg '$agg'"
"$logctl" window --from kafka:access --stop end --size 1h --agg "$agg" >"$tmp/kafka"

step "logctl window --size 1h --agg '$agg' -o table $log"
"$logctl" window --size 1h --agg "$agg" "$log" >"$tmp/file"
"$logctl" window --quiet --size 1h --agg "$agg" -o table "$log" | head -n 15

for way in pipe kafka; do
  if ! cmp -s "$tmp/file" "$tmp/$way"; then
    echo "the rows over the file and over the $way differ:" >&2
    diff "$tmp/file" "$tmp/$way" | head >&2
    exit 1
  fi
done
printf '\nThe %d rows over the file, over the pipe and over Kafka are the same.\n' "$(wc -l <"$tmp/file")"
