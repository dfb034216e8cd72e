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
for _ in $(seq 600); do [ -s bench-out/broker ] && break; sleep 0.1; done
b=$(head -n 1 bench-out/broker)

# fresh NAME prints a command that leaves an empty topic of that name.
fresh() {
  printf '{ bin/logctl topic rm -q --brokers %s %s || true; } 2>/dev/null; bin/logctl topic create -q --brokers %s %s --partitions 4' \
    "$b" "$1" "$b" "$1"
}

for codec in $CODECS; do
  printf '\n### produce, %s\n\n' "$codec"
  python3 scripts/bench/measure.py "$ROUNDS" <<END
logctl	bin/logctl produce --quiet --brokers $b --to kafka:ours-$codec -z $codec <$data	$(fresh "ours-$codec")
kcat	kcat -P -b $b -t kcat-$codec -z $codec -X acks=all <$data	$(fresh "kcat-$codec")
END
  bin/logctl topic ls --brokers "$b" -o table | grep -E "topic|-$codec"
  printf '\n### consume into a pipe, %s\n\n' "$codec"
  printf 'logctl\tbin/logctl consume --quiet --brokers %s --from kafka:ours-%s --stop end | cat >/dev/null\nkcat\tkcat -C -q -e -b %s -t ours-%s -o beginning | cat >/dev/null\n' \
    "$b" "$codec" "$b" "$codec" | python3 scripts/bench/measure.py "$ROUNDS"
done
