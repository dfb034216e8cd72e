#!/usr/bin/env bash
# The HTTP gateway into the embedded broker, acks=all, each request answered when
# its records are acknowledged. Lines of 200 bytes; CLIENTS (16) at once, BATCH
# (100) to a request, REQUESTS (30000) in all, ROUNDS (3). Broker, gateway and
# clients share this machine; nothing leaves loopback.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out
: "${CLIENTS:=16}" "${BATCH:=100}" "${REQUESTS:=30000}" "${ROUNDS:=3}"
data=bench-data/posts.ndjson
[ -s "$data" ] || bin/logctl produce --quiet --to - --generate http --limit 100000 >"$data"
go build -o bench-out/post ./scripts/bench/post

dir=$(mktemp -d)
bin/logctl broker --quiet --addr :0 --max-bytes 100GB --data "$dir" >bench-out/broker &
broker=$!
trap 'kill $gateway $broker 2>/dev/null; wait || true; rm -rf "$dir"' EXIT
gateway=
for _ in $(seq 100); do [ -s bench-out/broker ] && break; sleep 0.1; done
b=$(head -n 1 bench-out/broker)

printf 'lines of %d bytes on average, %d to a request, %d clients\n' \
  $(($(wc -c <"$data") / $(wc -l <"$data"))) "$BATCH" "$CLIENTS"
for round in $(seq "$ROUNDS"); do
  bin/logctl topic create -q --brokers "$b" "posts-$round" --partitions 4
  bin/logctl produce --brokers "$b" --to "kafka:posts-$round" --from http::0 --report 2>bench-out/gateway &
  gateway=$!
  for _ in $(seq 100); do grep -q http: bench-out/gateway && break; sleep 0.1; done
  url=$(sed -n 's/^logctl: taking in records on //p' bench-out/gateway)
  bench-out/post "$url/api/v1/logs/batch" "$data" "$BATCH" "$CLIENTS" "$REQUESTS"
  # What the kernel counts of the gateway alone.
  awk '{ printf "gateway: %.1f CPU seconds", ($14 + $15) / 100 }' "/proc/$gateway/stat"
  awk '/VmHWM/ { printf ", at most %d MiB\n", $2 / 1024 }' "/proc/$gateway/status"
  kill "$gateway"
  wait "$gateway"
  tail -n 1 bench-out/gateway
done
