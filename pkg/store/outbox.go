package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// DefaultOutbox is the table of an outbox where none is named.
const DefaultOutbox = "outbox"

// An Outbox is a table of records that wait to be sent: it is written first, and
// sent from. Anyone may add rows to it in transactions of their own, by key and
// value alone; ids rise in the order of commits, since SQLite has one writer at
// a time. A row has
//
//	id       its number, never used again
//	key      of the record, or null
//	value    of the record; null is a tombstone
//	headers  pairs in a JSON array: [["name","value"],…]; a value that is not
//	         UTF-8 is {"base64":…}; or null
//	time     of the record, ns since 1970; null for when it is sent
//	created  when it was written
//	sent     when it was acknowledged by where it was to go; null until then
//	error    why it was refused for good; null otherwise
//
// and where it came from (source, partition, offset, part): a record of a file or of a
// topic is written once, however often it is read.
//
// It is a stream.Sink: what is written between two Flushes is one transaction.
// It is for one goroutine.
type Outbox struct {
	c      *conn
	path   string
	table  string
	insert *stmt
	args   [8]any
	open   bool
	turn   turn // while it is open
	added  chan struct{}
	text   []byte
}

// outboxDDL makes the table, the index of what waits, and the table of ids.
const outboxDDL = `
CREATE TABLE IF NOT EXISTS %[1]s (
	id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB, value BLOB, headers TEXT, time INTEGER,
	created TEXT NOT NULL DEFAULT (strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ')), sent TEXT, error TEXT,
	source TEXT, partition INTEGER, "offset" INTEGER, part INTEGER,
	UNIQUE (source, partition, "offset", part));
CREATE INDEX IF NOT EXISTS %[2]s ON %[1]s (id) WHERE sent IS NULL;
CREATE TABLE IF NOT EXISTS _logctl_outboxes (name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID`

// openOutbox opens the database at path and makes the table where it is missing.
func openOutbox(ctx context.Context, path, table string) (*conn, string, error) {
	if table == "" {
		table = DefaultOutbox
	}
	if err := checkTable(table); err != nil {
		return nil, "", err
	}
	c, err := open(ctx, path, synced)
	if err != nil {
		return nil, "", err
	}
	for sql := range strings.SplitSeq(fmt.Sprintf(outboxDDL, quote(table), quote(table+"_waiting")), ";\n") {
		if err := exec(ctx, c, sql); err != nil {
			return nil, "", errors.Join(fmt.Errorf("opening outbox %q of sqlite %q: %w", table, path, err), c.Close())
		}
	}
	return c, table, nil
}

// OpenOutbox opens the outbox in the database at path, which it makes where it is
// missing. An empty table is DefaultOutbox.
func OpenOutbox(ctx context.Context, path, table string) (*Outbox, error) {
	c, table, err := openOutbox(ctx, path, table)
	if err != nil {
		return nil, err
	}
	o := &Outbox{c: c, path: path, table: table, turn: make(turn, 1), added: make(chan struct{}, 1)}
	o.insert, err = c.prepare(fmt.Sprintf(`INSERT OR IGNORE INTO %s
		(key, value, headers, time, source, partition, "offset", part) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, quote(table)))
	if err != nil {
		return nil, errors.Join(o.failed("opening", err), c.Close())
	}
	return o, nil
}

func (o *Outbox) failed(doing string, err error) error {
	return fmt.Errorf("%s outbox %q of sqlite %q: %w", doing, o.table, o.path, err)
}

// ID returns the name under which the outbox is sent from: it stays with it.
func (o *Outbox) ID(ctx context.Context) (string, error) {
	err := exec(ctx, o.c, "INSERT OR IGNORE INTO _logctl_outboxes (name, id) VALUES (?, ?)", o.table,
		"logctl-outbox-"+strings.ToLower(rand.Text()))
	id := ""
	if err == nil {
		err = query(ctx, o.c, "SELECT id FROM _logctl_outboxes WHERE name = ?",
			func(row []any) { id = text(row[0]) }, o.table)
	}
	if err != nil {
		return "", o.failed("opening", err)
	}
	return id, nil
}

// Source opens the outbox for sending while it is written to: its source reads what
// was added at once, and the two take turns in changing the table.
func (o *Outbox) Source(ctx context.Context) (*OutboxSource, error) {
	s, err := OpenOutboxSource(ctx, o.path, o.table)
	if err != nil {
		return nil, err
	}
	s.added, s.turn = o.added, o.turn
	return s, nil
}

// A turn at changing a table goes round among connections of one process, in the
// order in which they ask. SQLite has those that wait look again every now and then:
// one that always has more to write would keep another out for good.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) pass() { <-t }

// Write adds the live ones of rows to the transaction.
func (o *Outbox) Write(rows record.Rows) error {
	ctx := context.Background() // the busy time-out bounds it
	if err := o.begin(ctx); err != nil {
		return o.failed("writing to", err)
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		o.row(rows.Batch, &rows.Recs[i])
		if err := o.insert.run(ctx, o.args[:]...); err != nil {
			return o.failed("writing to", err)
		}
	}
	return nil
}

// begin opens the transaction where there is none.
func (o *Outbox) begin(ctx context.Context) error {
	if o.open {
		return nil
	}
	if err := o.turn.take(ctx); err != nil {
		return err
	}
	if err := exec(ctx, o.c, "BEGIN IMMEDIATE"); err != nil {
		o.turn.pass()
		return err
	}
	o.open = true
	return nil
}

// end says that the transaction is over.
func (o *Outbox) end() {
	if o.open {
		o.open = false
		o.turn.pass()
	}
}

// row sets the arguments of a record.
func (o *Outbox) row(b *record.Batch, rec *record.Rec) {
	clear(o.args[:])
	if rec.Flags&record.HasKey != 0 {
		o.args[0] = b.Bytes(rec.Key)
	}
	if rec.Flags&record.Tombstone == 0 {
		o.args[1] = b.Bytes(rec.Value)
	}
	if rec.Headers.Len > 0 {
		o.text = appendHeaders(o.text[:0], b, rec)
		o.args[2] = string(o.text)
	}
	if rec.Stamp != record.NoTime {
		o.args[3] = rec.Stamp
	}
	if from := b.Origin; from != nil && !table.ComesOnce(from) {
		o.args[4], o.args[5] = from.Source, int64(from.Partition)
		o.args[6], o.args[7] = rec.Offset, int64(rec.Part)
	}
}

// Flush commits what was written: it is on the disk when it returns.
func (o *Outbox) Flush(ctx context.Context) error {
	if !o.open {
		return nil
	}
	defer o.end()
	if err := o.c.commit(ctx); err != nil {
		_ = exec(context.WithoutCancel(ctx), o.c, "ROLLBACK") // where the disk is full, SQLite has done it
		return o.failed("writing to", err)
	}
	select {
	case o.added <- struct{}{}:
	default:
	}
	return nil
}

// Close closes the database. What was not flushed is undone.
func (o *Outbox) Close() error {
	defer o.end()
	o.insert.Close()
	if err := o.c.Close(); err != nil {
		return o.failed("closing", err)
	}
	return nil
}
