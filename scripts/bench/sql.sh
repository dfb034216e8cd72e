#!/usr/bin/env bash
# What tables and exactly once cost: ROWS (1,000,000) records of 250 bytes and 12
# fields. From a topic into SQLite, appended and replaced by a key, each exactly once;
# beside it what reading and parsing costs without a table. From topic to topic, at
# least once and exactly once. Into PostgreSQL, where one is installed. ROUNDS (3).
# BROKERS names a cluster to use instead of the embedded broker, which runs outside
# of what is measured.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out
: "${ROWS:=1000000}" "${ROUNDS:=3}" "${BROKERS:=}"
dir=$(mktemp -d)
broker='' data=''
trap '[ -z "$data" ] || as pg_ctl -D "$data" -m fast stop >/dev/null; [ -z "$broker" ] || kill $broker; wait || true; rm -rf "$dir"' EXIT

if [ -z "$BROKERS" ]; then
  bin/logctl broker --quiet --addr :0 --max-bytes 100GB --data "$dir/broker" >bench-out/broker &
  broker=$!
  for _ in $(seq 100); do [ -s bench-out/broker ] && break; sleep 0.1; done
  BROKERS=$(head -n 1 bench-out/broker)
fi
export LOGCTL_BROKERS=$BROKERS
in=sql-$$ out=sql-out-$$
bin/logctl topic create -q "$in" --partitions 4
bin/logctl produce -q --generate http --limit "$ROWS" --to "kafka:$in"
read="bin/logctl consume --quiet --from kafka:$in --stop end"

# again GROUP forgets what a group has read.
again() { printf '{ bin/logctl group rm -q %s --yes || bin/logctl group rm -q %s; } >/dev/null 2>&1 || true' "$1" "$1"; }

printf '### %s records of a topic into SQLite\n\n' "$ROWS"
python3 scripts/bench/measure.py "$ROUNDS" <<END
appended	$read --group a --delivery exactly-once --to sqlite:$dir/a.db	rm -f $dir/a.db*; $(again a)
replaced by id	$read --group u --delivery exactly-once --unique id --to sqlite:$dir/u.db	rm -f $dir/u.db*; $(again u)
no table	$read -o json --to null:
END

printf '\n### %s records from topic to topic\n\n' "$ROWS"
fresh() { # a topic that is empty and a group that has read nothing
  again "$1"
  printf '; bin/logctl topic rm -q %s >/dev/null 2>&1 || true; bin/logctl topic create -q %s --partitions 4' "$out" "$out"
}
python3 scripts/bench/measure.py "$ROUNDS" <<END
at least once	$read --group least --to kafka:$out	$(fresh least)
exactly once	$read --group once --delivery exactly-once --to kafka:$out	$(fresh once)
END

# A server of PostgreSQL does not run as root.
for d in /usr/lib/postgresql/*/bin; do PATH=$PATH:$d; done
command -v initdb >/dev/null || exit 0
as() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- env PATH="$PATH" "$@"); else "$@"; fi; }
chmod 755 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres "$dir/pg"
as initdb -D "$dir/pg/data" -A trust -U me -N -E UTF8 --locale C >bench-out/initdb
port=$((20000 + $$ % 20000))
as pg_ctl -D "$dir/pg/data" -w -l "$dir/pg/log" -o "-p $port -c listen_addresses=127.0.0.1 -k $dir/pg" start >/dev/null
data=$dir/pg/data
url="postgres://me@127.0.0.1:$port/postgres"
drop="psql -Xq -h 127.0.0.1 -p $port -U me -c 'DROP TABLE IF EXISTS a, u; DROP TABLE IF EXISTS _logctl_positions' postgres 2>&1"
printf '\n### %s records of a topic into PostgreSQL (the CPU is that of logctl; the server sets the wall)\n\n' "$ROWS"
python3 scripts/bench/measure.py "$ROUNDS" <<END
appended	$read --group a --delivery exactly-once --to $url#a	$(again a); $drop
replaced by id	$read --group u --delivery exactly-once --unique id --to $url#u	$(again u); $drop
END
