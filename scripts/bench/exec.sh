#!/usr/bin/env bash
# Handlers: LINES (2,000,000) records through one long-lived child, ROUNDS (3)
# interleaved rounds. `cat` answers each with itself; the others refuse one record
# in a hundred, or ask for it once more, or both: what that costs the healthy ones, also in PAIRS (10),
# and where the handler hashes each line WORK (8) times.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bench-data bench-out bin
: "${LINES:=2000000}" "${ROUNDS:=3}"
data=bench-data/http-$LINES.ndjson
[ -s "$data" ] || bin/logctl produce --quiet --generate http --limit "$LINES" --to "$data"
go build -o bin/poison ./scripts/bench/poison
printf '### %s records of a file through a handler\n\n' "$LINES"
python3 scripts/bench/measure.py "$ROUNDS" <<END
no handler	bin/logctl consume --quiet $data --to null:
cat	bin/logctl consume --quiet $data --to null: --exec cat
four of cat	bin/logctl consume --quiet $data --to null: --exec cat --workers 4
healthy	bin/logctl consume --quiet $data --to null: --exec bin/poison
1 % refused	bin/logctl consume --quiet $data --to null: --exec 'bin/poison -refuse' --dlq bench-out/dead	rm -f bench-out/dead
1 % tried again	bin/logctl consume --quiet $data --to null: --exec 'bin/poison -again' --dlq bench-out/dead	rm -f bench-out/dead
1 % tried again, refused	bin/logctl consume --quiet $data --to null: --exec 'bin/poison -again -refuse' --dlq bench-out/dead	rm -f bench-out/dead
END
for work in 0 "${WORK:=8}"; do
	printf '\n### What poison costs: each run beside healthy ones, medians of %s, each line hashed %s times\n\n' \
		"${PAIRS:=10}" "$work"
	HANDLER="bin/poison -work $work" python3 scripts/bench/poison.py "$PAIRS" "$data" "$LINES"
done
