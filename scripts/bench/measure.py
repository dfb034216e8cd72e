#!/usr/bin/env python3
"""Run commands in turn, several rounds, and print their costs as ratios of one run.

    measure.py ROUNDS < COMMANDS

COMMANDS holds a line each: NAME <tab> shell command [<tab> what to run before it,
unmeasured]. The first is what the others are compared with. Of each command the least CPU time (user and system, children
included), the least wall time and the greatest memory of all rounds count; the
rounds are interleaved, so that a noisy neighbour hurts all alike. What a command
prints on stdout goes to bench-out/NAME, for comparing results."""

import os
import resource
import subprocess
import sys
import time


def run(name, command, before=":"):
    os.makedirs("bench-out", exist_ok=True)
    subprocess.run(["bash", "-c", before], check=True, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        out = os.open(f"bench-out/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        err = os.open(f"bench-out/{name}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.execvp("bash", ["bash", "-c", command])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    rounds = int(sys.argv[1])
    commands = [line.rstrip("\n").split("\t") for line in sys.stdin if line.strip()]
    best = {}
    for _ in range(rounds):
        for name, *command in commands:
            cpu, wall, rss, code = run(name, *command)
            if code != 0:
                sys.exit(f"{name}: exit status {code}: see bench-out/{name}.err")
            old = best.get(name, (cpu, wall, rss))
            best[name] = (min(cpu, old[0]), min(wall, old[1]), max(rss, old[2]))
    base = best[commands[0][0]]
    print("| | CPU s | wall s | MiB | its CPU : ours | its wall : ours |\n|---|---|---|---|---|---|")
    for name, *_ in commands:
        cpu, wall, rss = best[name]
        print(f"| {name} | {cpu:.2f} | {wall:.2f} | {rss:.0f} | {cpu / base[0]:.2f} | {wall / base[1]:.2f} |")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
