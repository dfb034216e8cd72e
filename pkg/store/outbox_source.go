package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// An OutboxSource reads the rows of an outbox that wait to be sent, in the order
// of their ids, which are their offsets, and waits for more until End. It is a
// stream.Seeker and a stream.Committer: a commit marks rows as sent.
type OutboxSource struct {
	rows   *conn // of Read
	marks  *conn // of Commit and Refuse
	path   string
	table  string
	sql    string
	origin *record.Origin
	after  int64
	broken []refusal       // rows that Read has found to be no records
	turn   turn            // of marks
	added  <-chan struct{} // of rows of this process; may be nil
	ended  chan struct{}
	once   sync.Once

	refused atomic.Int64
}

// A refusal is a row that will never be sent, and why.
type refusal struct {
	id     int64
	reason string
}

// OpenOutboxSource opens an outbox for sending. Rows that are added meanwhile are seen
// within a fifth of a second; see also Outbox.Source.
func OpenOutboxSource(ctx context.Context, path, table string) (*OutboxSource, error) {
	marks, table, err := openOutbox(ctx, path, table)
	if err != nil {
		return nil, err
	}
	rows, err := openFile(ctx, path, "", sqlite3.SQLITE_OPEN_READONLY)
	if err != nil {
		return nil, errors.Join(err, marks.Close())
	}
	s := &OutboxSource{
		rows: rows, marks: marks, path: path, table: table, turn: make(turn, 1), ended: make(chan struct{}),
		origin: &record.Origin{Source: path + "#" + table, Modified: record.NoTime, Format: "plain"},
		sql: fmt.Sprintf(`SELECT id, key, value, headers, time FROM %s
			WHERE id > ? AND sent IS NULL AND error IS NULL ORDER BY id LIMIT %d`, quote(table), rowsAtOnce),
	}
	return s, nil
}

// rowsAtOnce bounds how many rows are looked at in one read transaction.
const rowsAtOnce = 5000

func (s *OutboxSource) failed(doing string, err error) error {
	return fmt.Errorf("%s outbox %q of sqlite %q: %w", doing, s.table, s.path, err)
}

// Name returns the name of the source in positions.
func (s *OutboxSource) Name() string { return s.origin.Source }

// End says that no more rows will be added: when those that there are have been
// read, so has the source.
func (s *OutboxSource) End() { s.once.Do(func() { close(s.ended) }) }

// Over is closed by End.
func (s *OutboxSource) Over() <-chan struct{} { return s.ended }

// Ended reports whether End was called.
func (s *OutboxSource) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Seek has reading begin behind what was sent, and marks that as sent: the process
// that sent it may have died before it could.
func (s *OutboxSource) Seek(at []stream.Position) error {
	s.after = 0
	for _, p := range at {
		if p.Source == s.origin.Source {
			s.after = p.Next - 1
		}
	}
	if s.after == 0 {
		return nil
	}
	return s.Commit(context.Background(), at)
}

// Read fills b with the next rows, waiting for the first of them. Rows that an application
// has written wrongly are refused: those behind them do not wait.
func (s *OutboxSource) Read(ctx context.Context, b *record.Batch) error {
	for {
		ended := s.Ended() // then all that was added before is seen now
		if err := s.fill(ctx, b); err != nil {
			return s.failed("reading", err)
		}
		found := len(s.broken) > 0
		if err := s.refuse(ctx, s.broken); err != nil { // before a commit passes them
			return err
		}
		s.broken = s.broken[:0]
		if len(b.Recs) > 0 {
			return nil
		}
		if found {
			continue // behind those there may be others
		}
		if ended {
			return io.EOF
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
		case <-s.added:
		case <-time.After(time.Second / 5):
		}
	}
}

// fill adds the rows that fit into b, at least one where there is one.
func (s *OutboxSource) fill(ctx context.Context, b *record.Batch) error {
	rows, err := s.rows.prepare(s.sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := rows.begin(context.WithoutCancel(ctx), s.after); err != nil {
		return err
	}
	b.Origin, b.Arrived, b.AtEnd = s.origin, time.Now().UnixNano(), true
	row := make([]any, 5)
	for {
		switch err := rows.next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		value, key := bytesIn(row[2]), bytesIn(row[1])
		if len(b.Recs) > 0 && len(b.Data)+len(value)+len(key) > cap(b.Data) {
			b.AtEnd = false
			return nil
		}
		s.add(b, row)
	}
}

// add appends a row, or notes why it is broken.
func (s *OutboxSource) add(b *record.Batch, row []any) {
	id, _ := row[0].(int64)
	rec := b.Add(bytesIn(row[2]))
	rec.Offset = id
	if row[2] == nil {
		rec.Flags |= record.Tombstone
	}
	if row[1] != nil {
		rec.Flags |= record.HasKey
		rec.Key = record.AppendSpan(b, bytesIn(row[1]))
	}
	if ns, ok := row[4].(int64); ok {
		rec.Stamp = ns
	}
	s.after, b.Next = id, id+1
	headers, err := addHeaders(b, text(row[3]))
	if err != nil {
		b.Recs = b.Recs[:len(b.Recs)-1]
		s.broken = append(s.broken, refusal{id, fmt.Sprintf("headers %.200q: %v", text(row[3]), err)})
		return
	}
	rec.Headers = headers
}

// bytesIn returns a blob or a text.
func bytesIn(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	case nil:
		return nil
	default:
		return fmt.Append(nil, v) // a number that an application wrote
	}
}

// Commit marks the rows below the position as sent, now.
func (s *OutboxSource) Commit(ctx context.Context, at []stream.Position) error {
	now := string(stamp.AppendRFC3339(nil, time.Now().UnixNano()))
	for _, p := range at {
		err := s.mark(ctx, "UPDATE %s SET sent = ? WHERE id < ? AND sent IS NULL AND error IS NULL", now, p.Next)
		if err != nil {
			return s.failed("marking what was sent of", err)
		}
	}
	return nil
}

// Refuse notes of rows why they will never be sent. It is for the goroutine that
// commits.
func (s *OutboxSource) Refuse(b *record.Batch) error {
	list := make([]refusal, len(b.Faults))
	for i, f := range b.Faults {
		list[i] = refusal{b.Recs[f.Row].Offset, f.Reason}
	}
	return s.refuse(context.Background(), list)
}

// refuse does so in one transaction.
func (s *OutboxSource) refuse(ctx context.Context, list []refusal) error {
	if len(list) == 0 {
		return nil
	}
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.pass()
	err := exec(ctx, s.marks, "BEGIN IMMEDIATE")
	for i := 0; err == nil && i < len(list); i++ {
		update := fmt.Sprintf("UPDATE %s SET error = ? WHERE id = ?", quote(s.table))
		err = exec(ctx, s.marks, update, list[i].reason, list[i].id)
	}
	if err == nil {
		err = exec(ctx, s.marks, "COMMIT")
	}
	if err != nil {
		_ = exec(context.WithoutCancel(ctx), s.marks, "ROLLBACK") // what is wrong is said
		return s.failed("marking what was refused of", err)
	}
	s.refused.Add(int64(len(list)))
	return nil
}

// Refused returns how many rows were refused.
func (s *OutboxSource) Refused() int64 { return s.refused.Load() }

// mark changes rows, when it is its turn. The statement has the table left open.
func (s *OutboxSource) mark(ctx context.Context, statement string, values ...any) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.pass()
	err := exec(ctx, s.marks, fmt.Sprintf(statement, quote(s.table)), values...)
	return err
}

// Close closes the database.
func (s *OutboxSource) Close() error { return errors.Join(s.rows.Close(), s.marks.Close()) }

// An OutboxStatus says what an outbox holds.
type OutboxStatus struct {
	Waiting  int64  `json:"waiting"`             // to be sent
	Oldest   string `json:"oldest,omitempty"`    // when the first of those was written
	Sent     int64  `json:"sent"`                // and acknowledged
	LastSent string `json:"last_sent,omitempty"` // when
	Refused  int64  `json:"refused"`             // for good
	Reason   string `json:"reason,omitempty"`    // of the last one that was refused
}

// ReadOutboxStatus counts the rows of an outbox. It changes nothing.
func ReadOutboxStatus(ctx context.Context, path, table string) (st OutboxStatus, err error) {
	if table == "" {
		table = DefaultOutbox
	}
	c, err := openFile(ctx, path, readOnly, sqlite3.SQLITE_OPEN_READONLY)
	if err != nil {
		return st, err
	}
	if tables, err := tablesOf(ctx, c); err != nil || !slices.Contains(tables, table) {
		if err == nil {
			err = noTable(path, table, tables)
		}
		return st, errors.Join(err, c.Close())
	}
	err = query(ctx, c, fmt.Sprintf(`SELECT
		count(*) FILTER (WHERE sent IS NULL AND error IS NULL), +min(created) FILTER (WHERE sent IS NULL AND error IS NULL),
		count(*) FILTER (WHERE sent IS NOT NULL), +max(sent), count(error),
		(SELECT error FROM %[1]s WHERE error IS NOT NULL ORDER BY id DESC LIMIT 1) FROM %[1]s`, quote(table)),
		func(row []any) {
			st.Waiting, _ = row[0].(int64)
			st.Sent, _ = row[2].(int64)
			st.Refused, _ = row[4].(int64)
			st.Oldest, st.LastSent, st.Reason = text(row[1]), text(row[3]), text(row[5])
		})
	if err != nil {
		err = fmt.Errorf("reading outbox %q of sqlite %q: %w", table, path, err)
	}
	return st, errors.Join(err, c.Close())
}
