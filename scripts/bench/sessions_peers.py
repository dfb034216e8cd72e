#!/usr/bin/env python3
"""Sessions of users, no more than half an hour apart, by a peer: a row of CSV for each.

    sessions_peers.py duckdb|chdb|windows FILE

chdb is ClickHouse with arrays, its best way; windows is ClickHouse with window functions."""

import sys


def duckdb(path):
    import duckdb as db

    con = db.connect()
    con.execute("SET threads = 2; SET preserve_insertion_order = false")
    con.execute(f"""COPY (
        WITH marked AS (
            SELECT user_id, ts, coalesce(ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) > INTERVAL 30 MINUTE, true) AS first
            FROM (SELECT user_id, "timestamp" AS ts FROM read_json('{path}', format='newline_delimited',
                  columns={{user_id:'VARCHAR', "timestamp":'TIMESTAMP'}}))),
        numbered AS (
            SELECT user_id, ts, sum(first::INT) OVER (PARTITION BY user_id ORDER BY ts ROWS UNBOUNDED PRECEDING) AS n
            FROM marked)
        SELECT user_id, min(ts) AS start, max(ts) AS finish, count(*) AS events FROM numbered GROUP BY user_id, n)
        TO '/dev/stdout' (FORMAT csv, HEADER)""")


COLUMNS = "user_id String, timestamp DateTime64(3, \\'UTC\\')"
SETTINGS = "SETTINGS max_threads = 2, date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1"


def chdb(path):
    import chdb as db

    sys.stdout.buffer.write(db.query(f"""
        SELECT user_id, s[1] AS start, s[-1] AS finish, length(s) AS events FROM (
            SELECT user_id, arrayJoin(arraySplit((x, gap) -> gap > 1800000, times,
                   arrayDifference(arrayMap(x -> toUnixTimestamp64Milli(x), times)))) AS s
            FROM (SELECT user_id, arraySort(groupArray(timestamp)) AS times
                  FROM file('{path}', JSONEachRow, '{COLUMNS}') GROUP BY user_id))
        {SETTINGS}""", "CSVWithNames").bytes())


def windows(path):
    import chdb as db

    sys.stdout.buffer.write(db.query(f"""
        SELECT user_id, min(timestamp) AS start, max(timestamp) AS finish, count() AS events FROM (
            SELECT user_id, timestamp, sum(first) OVER (PARTITION BY user_id ORDER BY timestamp) AS n FROM (
                SELECT user_id, timestamp, dateDiff('ms', lagInFrame(timestamp, 1, toDateTime64(0, 3, 'UTC')) OVER (
                       PARTITION BY user_id ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
                       timestamp) > 1800000 AS first
                FROM file('{path}', JSONEachRow, '{COLUMNS}')))
        GROUP BY user_id, n
        {SETTINGS}""", "CSVWithNames").bytes())


{"duckdb": duckdb, "chdb": chdb, "windows": windows}[sys.argv[1]](sys.argv[2])
