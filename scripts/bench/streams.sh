#!/usr/bin/env bash
# Kafka Streams beside logctl over one Apache Kafka: the same topics of 4
# partitions, LINES (2,000,000) logs and EVENTS (1,000,000) clicks, the same
# work. ROUNDS (2), CASES (keyed repartition sessions). Java 17 and Maven are
# needed. Of Streams, CPU is from its start to the last record aggregated: the
# JVM's own start is left out; of logctl it is that of the whole process. The
# broker's CPU is that of the time of a run.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out
: "${LINES:=2000000}" "${EVENTS:=1000000}" "${ROUNDS:=2}" "${CASES:=keyed repartition sessions}" "${PEER:=1}"
logs=bench-data/logs-$LINES.ndjson clicks=bench-data/clicks-$EVENTS-20000.ndjson lib=bench-data/streams
[ -s "$logs" ] || go run ./scripts/bench/gen "$LINES" >"$logs"
[ -s "$clicks" ] || go run ./scripts/bench/gen "$EVENTS" 20000 >"$clicks"
if [ ! -e $lib/Streams.class ]; then
  mkdir -p $lib
  mvn -q -B -f scripts/bench/streams/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$lib"
  javac -d $lib -cp "$lib/*" scripts/bench/streams/Streams.java
fi

dir=$(mktemp -d)
boot=$(scripts/kafka/cluster.sh start 1 "$dir")
export LOGCTL_BROKERS=$boot XDG_STATE_HOME=$dir/state
trap 'scripts/kafka/cluster.sh stop "$dir"; rm -rf "$dir"' EXIT
load() { # TOPIC FILE FLAGS…
  bin/logctl topic create -q "$1" --partitions 4
  bin/logctl produce -q --to "kafka:$1" "${@:3}" "$2"
}
load keyed "$logs" --key service
load repartition "$logs" --partitioner round-robin
load sessions "$clicks" --key user_id
broker() { awk '{print ($14 + $15) / 100}' "/proc/$(cat "$dir/n1/pid")/stat"; }

n=0
measured() { # NAME CASE RECORDS COMMAND…: a line of bench-out/streams
  local before; before=$(broker)
  /usr/bin/time -o bench-out/time -f '%U %S %e %M' "${@:4}" >bench-out/said 2>&1 || { cat bench-out/said; exit 1; }
  read -r user sys wall rss <bench-out/time
  cpu=$(awk "BEGIN { print $user + $sys }")
  if grep -q RESULT bench-out/said; then
    cpu=$(sed -n 's/.*cpu_at_start=\([0-9.]*\) cpu_at_done=\([0-9.]*\).*/\2 \1/p' bench-out/said | awk '{print $1 - $2}')
    wall=$(sed -n 's/.* done=\([0-9.]*\).*/\1/p' bench-out/said)
  fi
  echo "$2 $1 $cpu $wall $((rss / 1024)) $3 $(awk "BEGIN { print $(broker) - $before }")" | tee -a bench-out/streams
}
ours() { # CASE RECORDS GUARANTEE
  local out=out-$((++n)) keyed=(--keyed); [ "$1" = repartition ] && keyed=()
  local work=(window --size 1m --by service --agg 'count(), sum(latency_ms)')
  [ "$1" = sessions ] && work=(sessionize --key user_id --gap 5m)
  bin/logctl topic create -q $out --partitions 4
  measured "logctl_$3" "$1" "$2" bin/logctl "${work[@]}" "${keyed[@]}" -q --grace 2h --from "kafka:$1" --group "$out" --stop end \
    --to kafka:$out --delivery "$3"
}
streams() { # CASE RECORDS GUARANTEE
  local app=app-$((++n)) keyed=true job=window store=mem; [ "$1" = repartition ] && keyed=false
  [ "$1" = sessions ] && job=session store=rocks
  measured "streams_$3" "$1" "$2" java -Xmx2g -Dboot="$boot" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Djob=$job -Dkeyed=$keyed \
    -Dstore=$store -Dks.processing.guarantee="$3" -Dexpect="$2" -Din="$1" -Dout=out-$app -Dapp=$app -Dstate="$dir/$app" -cp "$lib:$lib/*" Streams
}
: >bench-out/streams
for _ in $(seq "$ROUNDS"); do
  for c in $CASES; do
    records=$LINES; [ "$c" = sessions ] && records=$EVENTS
    ours "$c" "$records" at-least-once
    ours "$c" "$records" exactly-once
    [ "$PEER" = 1 ] || continue
    streams "$c" "$records" at_least_once
    streams "$c" "$records" exactly_once_v2
  done
done
echo '| | CPU µs a record | wall s | MiB | CPU of the broker, µs a record |'
echo '|---|---|---|---|---|'
awk '{ k = $1 " " $2; if (!(k in cpu)) { order[++n] = k; cpu[k] = wall[k] = broker[k] = 1e9 }
  if ($3 / $6 < cpu[k]) cpu[k] = $3 / $6; if ($4 < wall[k]) wall[k] = $4; if ($5 > rss[k]) rss[k] = $5
  if ($7 / $6 < broker[k]) broker[k] = $7 / $6 }
  END { for (i = 1; i <= n; i++) { k = order[i]; printf "| %s | %.2f | %.1f | %d | %.2f |\n", k, cpu[k] * 1e6, wall[k], rss[k], broker[k] * 1e6 } }' bench-out/streams
