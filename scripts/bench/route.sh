#!/usr/bin/env bash
# Route beside syslog-ng and the engine of Redpanda Connect: NDJSON to three files and a
# default by RULES ("1 10 100 1000") rules, of which 70 % compare fields and 30 % match
# regular expressions; the first that holds counts. LINES (390,000: 112 MB), ROUNDS (3),
# PEERS (all, or some of "syslog-ng connect", or none). The files that all write must
# have as many lines. syslog-ng is Debian's syslog-ng-core; where it is not there, it is
# left out. Connect is built from scripts/bench/connect. Of more than 100 rules both are
# left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out
: "${LINES:=390000}" "${ROUNDS:=3}" "${RULES:=1 10 100 1000}" "${PEERS:=all}"
data=bench-data/logs-$LINES.ndjson
[ -s "$data" ] || go run ./scripts/bench/gen "$LINES" >"$data"
out=$PWD/bench-out/route
mkdir -p "$out/var"
[ "$PEERS" != all ] || PEERS="syslog-ng connect"
peer() { [[ " $PEERS " == *" $1 "* ]]; }
if peer connect; then # a module of its own, outside of what is linted and tested here
  mkdir -p bench-out/connect
  cp scripts/bench/connect/go.* bench-out/connect/
  cp scripts/bench/connect/main.go.txt bench-out/connect/main.go
  go build -C bench-out/connect -o "$PWD/bin/connect" .
fi

{
  for n in $RULES; do
    for tool in logctl syslog-ng connect; do
      mkdir -p "$out/$tool-$n"
      input=()
      [ $tool != connect ] || input=("$PWD/$data")
      python3 scripts/bench/routerules.py $tool "$n" "$out/$tool-$n" "${input[@]}" >"$out/$tool-$n.conf"
    done
    printf 'logctl, %s rules\tbin/logctl route --quiet --match first --rules %s %s\trm -f %s/*.ndjson\n' \
      "$n" "$out/logctl-$n.conf" "$data" "$out/logctl-$n"
    if peer syslog-ng && [ "$n" -le 100 ] && command -v syslog-ng >/dev/null; then
      printf 'syslog-ng, %s rules\tcat %s | syslog-ng -F -f %s -R %s/p -c %s/c -p %s/pid --no-caps\trm -f %s/*.ndjson\n' \
        "$n" "$data" "$out/syslog-ng-$n.conf" "$out/var" "$out/var" "$out/var" "$out/syslog-ng-$n"
    fi
    if peer connect && [ "$n" -le 100 ]; then
      printf 'connect, %s rules\tGOGC=400 bin/connect run %s\trm -f %s/*.ndjson\n' \
        "$n" "$out/connect-$n.conf" "$out/connect-$n"
    fi
  done
} | python3 scripts/bench/measure.py "$ROUNDS"

for n in $RULES; do
  for tool in logctl syslog-ng connect; do
    [ -s "$out/$tool-$n/rest.ndjson" ] || continue
    echo "$tool, $n rules: $(cd "$out/$tool-$n" && wc -l ./*.ndjson | awk '{ printf "%s %s  ", $2, $1 }')"
  done
done
