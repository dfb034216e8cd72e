package store

import (
	"context"
	"io"
	"iter"
	"sync"

	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// The kinds of a Difference.
const (
	Missing   = "missing"   // a record without a row
	Duplicate = "duplicate" // several rows where one is wanted
	Surplus   = "surplus"   // a row without a record
	waiting   = "waiting"   // a record without a row, not before the position that the table keeps
)

// A Difference is one between records and rows. Of a duplicate the place is that
// of its first row.
type Difference struct {
	Kind      string `json:"kind"`
	ID        any    `json:"id,omitempty"` // where a field names records
	Topic     string `json:"topic"`
	Partition int64  `json:"partition"`
	Offset    int64  `json:"offset"`
	Rows      int64  `json:"rows"` // of that name
}

// A Tally counts what a comparison has found.
type Tally struct {
	Records, Rows               int64
	Missing, Duplicate, Surplus int64
	Waiting                     int64 // records that the table has not come to yet
	Nameless                    int64 // records and rows without the field that names them: they are not compared
}

// Differs reports whether anything is not as it should be.
func (t *Tally) Differs() bool { return t.Missing+t.Duplicate+t.Surplus > 0 }

// The statements of a comparison. $same is that a record and a row have one name,
// $name what that is.
const (
	loadRows = `INSERT INTO have SELECT r._topic, r._partition, r._offset, $part, $id, s.topic IS NOT NULL
		FROM $both ON s.topic = r._topic AND s.partition = r._partition
		AND r._offset >= s.lo AND r._offset < s.hi`
	loadPositions = `INSERT INTO pos SELECT source, partition, next FROM sink._logctl_positions WHERE sink = $sink`

	// Nearly all names are those of a record and of one row. One sort of both sides
	// finds the others, and only what has their names is looked at again.
	findOdd = `INSERT INTO odd SELECT $odd FROM (
			SELECT topic, partition, offset, part, id, 1 AS record, 0 AS row FROM seen
			UNION ALL SELECT topic, partition, offset, part, id, 0, 1 FROM have
		) s WHERE $named GROUP BY $name HAVING sum(row) <> 1 OR sum(record) = 0`
	findOddSeen = `INSERT INTO seen_odd SELECT s.* FROM seen s CROSS JOIN odd h ON $same`
	findOddRows = `INSERT INTO have_odd SELECT s.* FROM have s CROSS JOIN odd h ON $same`

	findMissing = `INSERT INTO diff SELECT CASE WHEN s.offset >= p.next THEN 'waiting' ELSE 'missing' END,
		s.id, s.topic, s.partition, max(s.offset), 0 FROM seen_odd s LEFT JOIN pos p USING (topic, partition)
		WHERE NOT EXISTS (SELECT 1 FROM have_odd h WHERE $same) GROUP BY $record`
	findDuplicate = `INSERT INTO diff SELECT 'duplicate', s.id, s.topic, s.partition, min(s.offset), count(*)
		FROM have_odd s GROUP BY $name HAVING count(*) > 1 AND max(s.inside)`
	findSurplus = `INSERT INTO diff SELECT 'surplus', h.id, h.topic, h.partition, h.offset, 1 FROM have_odd h
		WHERE h.inside AND NOT EXISTS (SELECT 1 FROM seen_odd s WHERE $same)`
)

// Compare compares what was written with the rows of the table, for records within
// spans. It may be called again when the table has changed.
func (r *Comparison) Compare(ctx context.Context, spans []Span) (Tally, error) {
	t, err := r.compare(ctx, spans)
	return t, r.failed(err)
}

func (r *Comparison) compare(ctx context.Context, spans []Span) (t Tally, err error) {
	if r.writing { // else what was read of the table would be what it was at first
		r.writing = false
		if err := exec(ctx, r.c, "COMMIT"); err != nil {
			return t, err
		}
	}
	if r.from != nil {
		if err := r.copyRows(ctx); err != nil {
			return t, err
		}
	}
	for _, table := range []string{"span", "pos", "have", "odd", "seen_odd", "have_odd", "diff"} {
		if err := exec(ctx, r.c, "DELETE FROM "+table); err != nil {
			return t, err
		}
	}
	for _, s := range spans {
		err := exec(ctx, r.c, "INSERT INTO span VALUES (?, ?, ?, ?)", s.Source, int64(s.Partition), s.From, s.To)
		if err != nil {
			return t, err
		}
	}
	if err := r.loadPositions(ctx); err != nil {
		return t, err
	}
	say := r.words()
	if err := r.execAll(ctx, say(loadRows), say(findOdd)); err != nil {
		return t, err
	}
	if r.c.changes() > 0 {
		err := r.execAll(ctx, say(findOddSeen), say(findOddRows), say(findMissing), say(findDuplicate), say(findSurplus))
		if err != nil {
			return t, err
		}
	}
	return t, r.count(ctx, &t)
}

// words returns what fills in the statements.
func (r *Comparison) words() func(string) string {
	w := map[string]string{
		"part": "0", "id": "NULL", "both": "sink." + quote(r.name) + " r CROSS JOIN span s", "named": "1",
		"odd": "topic, partition, offset, part, NULL", // numbers first, which are compared faster
		"key": "offset, partition, topic, part", "name": "s.offset, s.partition, s.topic, s.part",
		"record": "s.topic, s.partition, s.offset", // all parts are read again together
		"same":   "s.topic = h.topic AND s.partition = h.partition AND s.offset = h.offset AND s.part = h.part",
	}
	if r.parts {
		w["part"] = "r." + table.Part
	}
	if r.field != "" {
		w["both"] = "sink." + quote(r.name) + " r LEFT JOIN span s" // a name may stand anywhere in the table
		w["named"], w["odd"], w["key"] = "s.id IS NOT NULL", "NULL, NULL, NULL, NULL, id", "id"
		w["name"], w["record"], w["same"] = "s.id", "s.id", "s.id = h.id"
		w["id"] = "r." + quote(r.field)
		if r.named.Name == "" {
			w["id"] = "json_extract(r." + table.Extra + ", " + literal(`$."`+r.field+`"`) + ")"
		}
	}
	return func(sql string) string { return expand(sql, w) }
}

// loadPositions takes over the positions that the table keeps, where it does.
func (r *Comparison) loadPositions(ctx context.Context) error {
	keeps := false
	err := query(ctx, r.c, "SELECT 1 FROM sink.sqlite_schema WHERE name = '_logctl_positions'",
		func([]any) { keeps = true })
	if err != nil || !keeps {
		return err
	}
	return r.execAll(ctx, expand(loadPositions, map[string]string{"sink": literal(r.name)}))
}

func (r *Comparison) count(ctx context.Context, t *Tally) error {
	kinds := map[string]*int64{
		Missing: &t.Missing, Duplicate: &t.Duplicate, Surplus: &t.Surplus, waiting: &t.Waiting,
		"records": &t.Records, "rows": &t.Rows, "nameless": &t.Nameless,
	}
	sql := `SELECT kind, count(*) FROM diff GROUP BY kind
		UNION ALL SELECT 'records', count(*) FROM seen UNION ALL SELECT 'rows', count(*) FROM have WHERE inside`
	if r.field != "" {
		sql += ` UNION ALL SELECT 'nameless', (SELECT count(*) FROM seen WHERE id IS NULL)
			+ (SELECT count(*) FROM have WHERE id IS NULL AND inside)`
	}
	return query(ctx, r.c, sql, func(row []any) {
		n, _ := row[1].(int64)
		if to := kinds[text(row[0])]; to != nil {
			*to = n
		}
	})
}

// Differences yields what was found, by topic, partition and offset.
func (r *Comparison) Differences(ctx context.Context) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		rows, err := r.c.prepare(`SELECT kind, id, topic, partition, offset, rows FROM diff
			WHERE kind <> 'waiting' ORDER BY topic, partition, offset`)
		if err == nil {
			defer rows.Close()
			err = rows.begin(ctx)
		}
		row := make([]any, 6)
		for err == nil {
			if err = rows.next(row); err == nil && !yield(difference(row), nil) {
				return
			}
		}
		if err != io.EOF {
			yield(Difference{}, r.failed(err))
		}
	}
}

func difference(row []any) Difference {
	d := Difference{Kind: text(row[0]), ID: row[1], Topic: text(row[2])}
	if p, ok := d.ID.([]byte); ok {
		d.ID = string(p)
	}
	d.Partition, _ = row[3].(int64)
	d.Offset, _ = row[4].(int64)
	d.Rows, _ = row[5].(int64)
	return d
}

// Begin returns where the first missing record of each partition is.
func (r *Comparison) Begin(ctx context.Context) ([]stream.Position, error) {
	var at []stream.Position
	err := query(ctx, r.c, "SELECT topic, partition, min(offset) FROM diff WHERE kind = 'missing' GROUP BY 1, 2",
		func(row []any) {
			n, _ := row[1].(int64)
			next, _ := row[2].(int64)
			at = append(at, stream.Position{Source: text(row[0]), Partition: int32(n), Next: next})
		})
	return at, r.failed(err)
}

// Wanting returns how many records are at the places of the missing ones. There may be
// several parts at a place, and all of them are read again.
func (r *Comparison) Wanting(ctx context.Context) (n int64, err error) {
	err = query(ctx, r.c, `SELECT count(*) FROM seen s WHERE EXISTS (SELECT 1 FROM diff d WHERE d.topic = s.topic
		AND d.partition = s.partition AND d.offset = s.offset AND d.kind = 'missing')`,
		func(row []any) { n, _ = row[0].(int64) })
	return n, r.failed(err)
}

// A lookup is a statement that several goroutines use in turn.
type lookup struct {
	mu        sync.Mutex
	statement *stmt
}

// Lacks returns the missing ones of the offsets of a partition from lo to hi, in
// order. It may be called from several goroutines.
func (r *Comparison) Lacks(ctx context.Context, source string, partition int32, lo, hi int64) ([]int64, error) {
	r.lacks.mu.Lock()
	defer r.lacks.mu.Unlock()
	if r.lacks.statement == nil {
		st, err := r.c.prepare(`SELECT offset FROM diff WHERE topic = ? AND partition = ?
			AND offset BETWEEN ? AND ? AND kind = 'missing' ORDER BY offset`)
		if err != nil {
			return nil, r.failed(err)
		}
		r.lacks.statement = st
	}
	rows := r.lacks.statement
	err := rows.begin(ctx, source, int64(partition), lo, hi)
	var found []int64
	row := make([]any, 1)
	for err == nil {
		if err = rows.next(row); err == nil {
			n, _ := row[0].(int64)
			found = append(found, n)
		}
	}
	if err != io.EOF {
		return nil, r.failed(err)
	}
	return found, nil
}
