#!/usr/bin/env python3
"""How long questions about one key take while records come in as fast as they can.

  queries.py LOGCTL BROKERS RECORDS.ndjson [KEYS]

The records (`gen keys N KEYS` makes them) are produced to a topic of four
partitions by their key; a window over them, in a group that keeps its state in
Kafka, is asked for one key after the other until all are read. The brokers must
be able to make topics.
"""
import gc, http.client, json, os, random, subprocess, sys, tempfile, time

gc.disable()  # it is not this program's pauses that are measured
logctl, brokers, data = sys.argv[1:4]
keys = int(sys.argv[4]) if len(sys.argv) > 4 else 300_000
port, topic = 18099, f"queries-{int(time.time())}"
env = dict(os.environ, LOGCTL_BROKERS=brokers, XDG_STATE_HOME=tempfile.mkdtemp())


def get(conn, path):
    conn.request("GET", path)
    r = conn.getresponse()
    return r.status, json.loads(r.read())


def metrics(conn):
    conn.request("GET", "/metrics")
    lines = (line.split() for line in conn.getresponse().read().decode().splitlines())
    return {words[0]: float(words[1]) for words in lines if len(words) == 2}


def ask(conn, n, pause, done):
    took, failed = [], 0
    for k in range(n):
        begin = time.perf_counter()
        status, _ = get(conn, f"/api/windows?key=k{random.randrange(keys)}")
        took.append(time.perf_counter() - begin)
        failed += status != 200
        if done and k % 50 == 0 and done():
            break
        time.sleep(pause)
    took.sort()
    at = lambda q: took[min(int(q * len(took)), len(took) - 1)] * 1e3
    slow = 100 * sum(t > .005 for t in took) / len(took)
    print(f"{len(took)} questions, {failed} not answered: p50 {at(.5):.2f} ms, p90 {at(.9):.2f}, p99 {at(.99):.2f}, "
          f"most {took[-1]*1e3:.1f}; {slow:.2f} % took more than 5 ms")


subprocess.run([logctl, "topic", "create", topic, "--partitions", "4", "-q"], env=env, check=True)
subprocess.run([logctl, "produce", "-q", "--to", f"kafka:{topic}", "--key", "key", data], env=env, check=True)
window = subprocess.Popen(
    [logctl, "window", "-q", "--size", "1d", "--by", "key", "--agg", "count(), sum(value), avg(value)", "--keyed",
     "--from", f"kafka:{topic}", "--group", topic, "--to", "null:", "--listen", f"127.0.0.1:{port}"], env=env)
try:
    time.sleep(1)
    conn = http.client.HTTPConnection("127.0.0.1", port)
    stats = lambda: get(conn, "/api/windows/stats")[1]
    while not stats().get("groups"):
        time.sleep(0.05)
    begin = time.time()
    ask(conn, 100_000, 0.002, lambda: stats().get("lag_records") == 0)
    m = metrics(conn)
    stalls, stood = m["logctl_commit_stalls_total"], m["logctl_commit_stall_seconds_total"]
    print(f"{stalls:.0f} times records waited for a commit, {stood/stalls*1e3:.1f} ms on average and at most "
          f"{m['logctl_commit_stall_max_seconds']*1e3:.1f}; the last commit took {m['logctl_commit_seconds']*1e3:.0f} ms")
    print(f"all was read after {time.time()-begin:.1f} s; now nothing comes, {stats()['groups']} groups:")
    ask(conn, 2_000, 0.001, None)
finally:
    window.terminate()
    window.wait()
    subprocess.run([logctl, "topic", "rm", topic, "--yes"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
