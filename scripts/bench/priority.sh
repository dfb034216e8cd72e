#!/usr/bin/env bash
# Priorities: how long a critical record takes from its producer to the handler (p50
# and p99) behind a backlog of BACKLOG (2,000,000) low ones, four partitions of the
# embedded broker for each class; alone, in a group, in a group that another member
# joins, and in one whose other member was killed. The second member has taken what
# it was given: the figures are of the one that stays. Then exactly once into a topic: up
# to the transaction, and from there to a reader of what is committed. ROUNDS (3).
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-out
: "${BACKLOG:=2000000}" "${ROUNDS:=3}"
logctl=$PWD/bin/logctl
dir=$(mktemp -d)
export XDG_STATE_HOME=$dir/state
"$logctl" broker --quiet --addr :0 --max-bytes 100GB --data "$dir/data" >"$dir/broker" &
broker=$!
trap 'kill $broker; wait $broker || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do [ -s "$dir/broker" ] && break; sleep 0.1; done
LOGCTL_BROKERS=$(head -n 1 "$dir/broker")
export LOGCTL_BROKERS
"$logctl" topic create -q low --partitions 4
"$logctl" topic create -q none
"$logctl" produce -q --to kafka:low --generate http --limit "$BACKLOG"

consume() { # CLASS GROUP: the classes into a handler
  exec "$logctl" consume --from "kafka:$1,low" --priority strict ${2:+--group "$2"} --exec cat --to null:
}

run() { # NAME GROUP OTHER: 100 critical records a second for 2.5 s
  local class=critical-$RANDOM$RANDOM other=
  "$logctl" topic create -q "$class" --partitions 4
  (consume "$class" "$2" 2>"$dir/said") & local reader=$!
  sleep 1.5
  if [ "$3" = killed ]; then
    (consume "$class" "$2" 2>/dev/null) & other=$!
    sleep 3
    kill -9 $other; wait $other 2>/dev/null || true
  fi
  "$logctl" produce -q --to "kafka:$class" --generate http --rate 100/s --limit 250 --linger 1ms \
    --partitioner round-robin & local feed=$!
  if [ "$3" = joins ]; then
    (consume "$class" "$2" 2>/dev/null) & other=$!
  fi
  wait $feed
  sleep 0.5
  kill -INT $reader; wait $reader || true
  printf '| %s | %s |\n' "$1" "$(grep -o "$class [^)]*)" "$dir/said" | tail -n 1 | sed "s/$class //")"
  [ "$3" != joins ] || { kill -9 $other; wait $other 2>/dev/null || true; }
}

once() { # the same, exactly once from topic to topic
  local class=critical-$RANDOM$RANDOM
  "$logctl" topic create -q "$class" --partitions 4
  "$logctl" topic create -q "of-$class" --partitions 4
  "$logctl" consume --from "kafka:of-$class,none" --priority strict --where "class == '$class'" --to null: \
    2>"$dir/read" & local read=$!
  "$logctl" consume --from "kafka:$class,low" --priority strict --group "$class" --set class=_topic \
    --delivery exactly-once --to "kafka:of-$class" 2>"$dir/said" & local reader=$!
  sleep 1.5
  "$logctl" produce -q --to "kafka:$class" --generate http --rate 100/s --limit 250 --linger 1ms \
    --partitioner round-robin
  sleep 2
  kill -INT $reader; wait $reader || true
  kill -INT $read; wait $read || true
  printf '| exactly once, to the transaction | %s |\n' "$(grep -o "$class [^)]*)" "$dir/said" | tail -n 1 | sed "s/$class //")"
  printf '| and from there to a reader | %s |\n' "$(grep -o "of-$class [^)]*)" "$dir/read" | tail -n 1 | sed "s/of-$class //")"
}

printf '| %s critical records a second, %s low ones before them | of the member that stays |\n|---|---|\n' 100 "$BACKLOG"
for _ in $(seq "$ROUNDS"); do
  run 'without a group' '' ''
  run 'in a group' "g$RANDOM$RANDOM" ''
  run 'another member joins meanwhile' "g$RANDOM$RANDOM" joins
  run 'another member was killed just before' "g$RANDOM$RANDOM" killed
  once
done
