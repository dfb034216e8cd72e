#!/usr/bin/env python3
"""What poison costs the healthy records, as ratios of runs next to each other.

    poison.py PAIRS DATA RECORDS

A run gives RECORDS lines of DATA to bin/poison, which refuses one record in a hundred,
or asks for it once more and then handles it or refuses it. It is compared with the mean of the healthy runs
before and after it; medians of PAIRS such ratios count, beside those of healthy runs,
which say how much of them is noise. "steady" is the time until all first attempts have
been given but one in a thousand: the whole run also waits for the last second attempts.
What is tried again is given to the handler twice: 1 % of the ratios is that. The last
column is the CPU time of a poisoned record beyond a healthy one's, the handler's
included. LOGCTL is the command, by default bin/logctl consume --quiet, and HANDLER
that of the handler, by default bin/poison; with -work N it does more than copying."""

import os
import statistics
import subprocess
import sys
import time

MODES = {
    "nothing": "",
    "1 % refused": " -refuse",
    "1 % tried again": " -again",
    "1 % tried again, refused": " -again -refuse",
}
DEAD = "bench-out/poison.dead"


HANDLER = os.environ.get("HANDLER", "bin/poison")


def run(logctl, data, records, mode=""):
    """Returns CPU, wall and steady seconds of a run."""
    if os.path.exists(DEAD):
        os.unlink(DEAD)
    lines = records * 999 // (990 if "-again" in mode else 1000)
    command = [*logctl, "--limit", str(records), data, "--to", "null:", "--dlq", DEAD]
    command += ["--exec", f"{HANDLER} -until {lines}{mode}"]
    start = time.monotonic()
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command}: status {status}: {said}")
    return usage.ru_utime + usage.ru_stime, wall, float(said)


def main():
    pairs, data, records = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    logctl = os.environ.get("LOGCTL", "bin/logctl consume --quiet").split()
    healthy, ratios, each = [run(logctl, data, records)], {}, {}
    for _ in range(pairs):
        for name, mode in MODES.items():
            poisoned = run(logctl, data, records, mode)
            healthy.append(run(logctl, data, records))
            beside = [(a + b) / 2 for a, b in zip(healthy[-2], healthy[-1])]
            ratios.setdefault(name, []).append([p / h for p, h in zip(poisoned, beside)])
            each.setdefault(name, []).append((poisoned[0] - beside[0]) / (records / 100) * 1e6)
    print("| more than healthy | CPU | wall | steady | CPU of each |\n|---|---|---|---|---|")
    print("| (seconds) |", " | ".join(f"{statistics.median(c):.2f}" for c in zip(*healthy)), "| |")
    for name, runs in ratios.items():
        columns = [f"{100 * statistics.median(c) - 100:.1f} %" for c in zip(*runs)]
        print(f"| {name} |", " | ".join(columns), f"| {statistics.median(each[name]):.1f} µs |", flush=True)


if __name__ == "__main__":
    main()
