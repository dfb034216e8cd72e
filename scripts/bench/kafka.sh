#!/usr/bin/env bash
# Produce and consume beside kcat: LINES (5,000,000) lines of 200 bytes through
# the embedded broker, which runs outside of what is measured. ROUNDS (3),
# CODECS (none snappy zstd). kcat is Debian's package of that name.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out
: "${LINES:=5000000}" "${ROUNDS:=3}" "${CODECS:=none snappy zstd}"
data=bench-data/lines-$LINES.log
# Log-like lines of exactly 200 bytes.
[ -s "$data" ] || bin/logctl produce --quiet --to - --generate http --limit "$LINES" |
  awk '{ printf "%-199.199s\n", $0 }' >"$data"

dir=$(mktemp -d)
bin/logctl broker --quiet --addr :0 --max-bytes 100GB --data "$dir" >bench-out/broker &
broker=$!
trap 'kill $broker; wait $broker || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do [ -s bench-out/broker ] && break; sleep 0.1; done
b=$(head -n 1 bench-out/broker)

topics() { # makes an empty topic for every producer of a codec
  for name in "$@"; do
    bin/logctl topic rm --quiet --brokers "$b" "$name" 2>/dev/null || true
    bin/logctl topic create --quiet --brokers "$b" "$name" --partitions 4
  done
}

for codec in $CODECS; do
  printf '\n### produce, %s\n\n' "$codec"
  for round in $(seq "$ROUNDS"); do
    topics "ours-$codec" "kcat-$codec"
    printf 'logctl\tbin/logctl produce --quiet --brokers %s --to kafka:ours-%s -z %s <%s\nkcat\tkcat -P -b %s -t kcat-%s -z %s -X acks=all <%s\n' \
      "$b" "$codec" "$codec" "$data" "$b" "$codec" "$codec" "$data"
  done | sort -u | python3 scripts/bench/measure.py 1 # a topic takes one round
  bin/logctl topic ls --brokers "$b" -o table | grep -E "topic|-$codec"
  printf '\n### consume into a pipe, %s\n\n' "$codec"
  printf 'logctl\tbin/logctl consume --quiet --brokers %s --from kafka:ours-%s --stop end | cat >/dev/null\nkcat\tkcat -C -q -e -b %s -t ours-%s -o beginning | cat >/dev/null\n' \
    "$b" "$codec" "$b" "$codec" | python3 scripts/bench/measure.py "$ROUNDS"
done
