#!/usr/bin/env python3
"""How long a window over a group is away when it is restarted.

  restart.py LOGCTL BROKERS RECORDS.ndjson

The records (`gen keys N KEYS` makes them) are produced to a topic of four
partitions by their key and read by a window in a group. When all are read it is
killed and started again under its name: with the copies of its state on this
machine, and without them. Measured is the time from the start of the process until it
answers with the groups of all partitions, and the CPU time that it has used by
then, which a machine that is busy otherwise changes less.
"""
import http.client, json, os, pathlib, subprocess, sys, tempfile, time

logctl, brokers, data = sys.argv[1:4]
port, topic = 18097, f"restart-{int(time.time())}"
env = dict(os.environ, LOGCTL_BROKERS=brokers)


def stats():
    try:
        conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        conn.request("GET", "/api/windows/stats")
        return json.loads(conn.getresponse().read())
    except (OSError, ValueError):
        return {}


def run(state, ready):
    """Runs the window until ready, and returns its groups, and how long that took: wall and CPU."""
    begin = time.perf_counter()
    window = subprocess.Popen(
        [logctl, "window", "-q", "--size", "1d", "--by", "key", "--agg", "count(), sum(value), avg(value)", "--keyed",
         "--from", f"kafka:{topic}", "--group", topic, "--to", "null:", "--listen", f"127.0.0.1:{port}"],
        env=dict(env, XDG_STATE_HOME=state))
    try:
        while not ready(s := stats()):
            if window.poll() is not None or time.perf_counter() - begin > 120:
                sys.exit(f"the window is not ready: {s}")
            time.sleep(0.02)
        took = time.perf_counter() - begin
        with open(f"/proc/{window.pid}/stat") as f:
            user, system = f.read().rpartition(")")[2].split()[11:13]
        return s["groups"], f"{took:.2f} s, CPU {(int(user) + int(system)) / os.sysconf('SC_CLK_TCK'):.2f} s"
    finally:
        window.kill()
        window.wait()


subprocess.run([logctl, "topic", "create", topic, "--partitions", "4", "-q"], env=env, check=True)
subprocess.run([logctl, "produce", "-q", "--to", f"kafka:{topic}", "--key", "key", data], env=env, check=True)
try:
    state = tempfile.mkdtemp()
    seen = []

    def settled(s):
        """Reports whether nothing has come for two seconds."""
        seen.append((time.perf_counter(), s.get("groups")))
        since = min(at for at, n in seen if n == seen[-1][1])
        return seen[-1][1] and s.get("lag_records") == 0 and seen[-1][0] - since > 2

    groups, took = run(state, settled)
    print(f"{groups} groups, read in {took}")
    back = lambda s: s.get("groups") == groups
    for _ in range(3):
        print(f"from the local copy: {run(state, back)[1]}")
    for _ in range(3):
        for copy in pathlib.Path(state).rglob("state.db*"):
            copy.unlink()
        print(f"from the changelog:  {run(state, back)[1]}")
finally:
    subprocess.run([logctl, "topic", "rm", topic, "--yes"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
