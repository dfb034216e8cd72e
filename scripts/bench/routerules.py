#!/usr/bin/env python3
"""Write N rules of three destinations: routerules.py logctl|syslog-ng|connect N DIR [FILE]

70 % compare fields, 30 % match regular expressions; the first that holds counts.
All kinds say the same about the logs of scripts/bench/gen, which connect reads from
FILE."""

import json
import sys

SERVICES = (
    "payment-api checkout auth search inventory user-api gateway notifications recommendations billing shipping "
    "catalog sessions media fraud-detector email-worker"
).split()


def rule(i):
    """Returns the tests of rule i: field, operator, value."""
    service = ("service", "==", SERVICES[i % 16])
    return {
        0: [service, ("status", ">=", 500 + i // 10 % 4)],
        1: [service, ("level", "==", "WARN"), ("latency_ms", ">", 300 + i)],
        2: [("message", "=~", r"dial tcp 10\.0\.%d\.[0-9]+:5432" % (i % 8))],
        3: [("user_id", "==", "u%d" % (i * 7919))],
        4: [service, ("status", ">=", 500 + i // 10 % 4)],
        5: [service, ("level", "==", "WARN"), ("latency_ms", ">", 300 + i)],
        6: [("message", "=~", r"(?is)(panic|fatal).*handler\.go:%d" % (218 + i // 10))],
        7: [("status", "==", 400 + i % 30), ("path", "==", "/login")],
        8: [("level", "==", "ERROR"), ("latency_ms", ">=", 20 * (i // 10 + 1))],
        9: [("message", "=~", "^deadline exceeded .* calling .(inv|ord)%d" % (i // 10))],
    }[i % 10]


def logctl(n, out):
    print("rules:")
    for i in range(n):
        cond = " and ".join(f'{f} {op} {v}' if isinstance(v, int) else f'{f} {op} "{v}"' for f, op, v in rule(i))
        print(f"  - name: r{i}\n    match: '{cond}'\n    to: {out}/{'abc'[i % 3]}.ndjson")
    print(f"default: {out}/rest.ndjson")


def syslog_ng(n, out):
    print("@version: 3.38\n@module affile\n@module json-plugin\n"
          "options { use-dns(no); dns-cache(no); stats-freq(0); keep-hostname(yes); log-msg-size(65536); threaded(yes); };\n"
          "source s { stdin(flags(no-parse, no-hostname) log-iw-size(10000) log-fetch-limit(1000)); };\n"
          'parser j { json-parser(prefix(".j.")); };')
    for d in ("a", "b", "c", "rest"):
        print(f'destination d_{d} {{ file("{out}/{d}.ndjson" template("$MSG\\n") flush-lines(1000) '
              "log-fifo-size(20000)); };")
    words = {"==": "eq"}
    for i in range(n):
        tests = []
        for f, op, v in rule(i):
            if op == "=~":
                tests.append(f"match('{v}' value('.j.{f}') type(pcre))")
            elif isinstance(v, int):
                tests.append(f'"${{.j.{f}}}" {op} "{v}"')
            else:
                tests.append(f'"${{.j.{f}}}" {words[op]} "{v}"')
        print(f"filter f{i} {{ {' and '.join(tests)}; }};")
    print("log { source(s); parser(j);\n  junction {")
    for i in range(n):
        print(f"    channel {{ filter(f{i}); destination(d_{'abc'[i % 3]}); flags(final); }};")
    print("    channel { destination(d_rest); flags(final); };\n  };\n};")


def connect(n, out, data):
    """One mapping that names the file, and batches: the fastest of its ways."""
    print("http: { enabled: false }\nlogger: { level: ERROR }\ninput:\n  batched:\n    child:\n      file:\n"
          f'        paths: [ "{data}" ]\n        scanner: {{ lines: {{}} }}\n'
          "    policy: { count: 100, period: 100ms }\npipeline:\n  threads: 2\n  processors:\n    - mapping: |\n"
          "        meta file = match {")
    for i in range(n):
        tests = []
        for f, op, v in rule(i):
            if op == "=~":
                tests.append("this.%s.re_match(%s)" % (f, json.dumps(v)))
            else:
                tests.append(f"this.{f} {op} {json.dumps(v)}")
        print(f"          {' && '.join(tests)} => \"{'abc'[i % 3]}\"")
    print('          _ => "rest"\n        }\noutput:\n'
          f'  file: {{ path: "{out}/${{!meta(\\"file\\")}}.ndjson", codec: lines }}')


if __name__ == "__main__":
    {"logctl": logctl, "syslog-ng": syslog_ng, "connect": connect}[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
