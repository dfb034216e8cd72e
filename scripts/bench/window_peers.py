#!/usr/bin/env python3
"""Count, average and 99th percentile of latency by service and minute, by a peer.

    window_peers.py duckdb|chdb|polars FILE"""

import sys


def duckdb(path):
    import duckdb as db

    con = db.connect()
    con.execute("SET threads = 2; SET preserve_insertion_order = false")
    con.execute(f"""COPY (
        SELECT service, date_trunc('minute', "timestamp") AS minute, count(*) AS n,
               avg(latency_ms) AS avg, quantile_cont(latency_ms, 0.99) AS p99
        FROM read_json('{path}', format='newline_delimited',
             columns={{service:'VARCHAR', "timestamp":'TIMESTAMP', latency_ms:'DOUBLE'}})
        GROUP BY ALL) TO '/dev/stdout' (FORMAT csv, HEADER)""")


def chdb(path):
    import chdb as db

    print(db.query(f"""
        SELECT service, toStartOfMinute(parseDateTimeBestEffort(timestamp)) AS minute, count() AS n,
               avg(latency_ms) AS avg, quantile(0.99)(latency_ms) AS p99
        FROM file('{path}', JSONEachRow, 'service String, timestamp String, latency_ms Float64')
        GROUP BY service, minute
        SETTINGS max_threads = 2, input_format_parallel_parsing = 0""", "CSV"))


def polars(path):
    import polars as pl

    rows = pl.scan_ndjson(path, schema={"service": pl.String, "timestamp": pl.String, "latency_ms": pl.Float64})
    minute = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms").dt.truncate("1m")
    table = rows.group_by("service", minute.alias("minute")).agg(
        pl.len().alias("n"), pl.mean("latency_ms").alias("avg"),
        pl.quantile("latency_ms", 0.99, interpolation="linear").alias("p99"))
    print(table.collect(engine="streaming").write_csv())


{"duckdb": duckdb, "chdb": chdb, "polars": polars}[sys.argv[1]](sys.argv[2])
