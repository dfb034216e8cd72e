package store

import (
	"context"
	"fmt"
	"io"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// A stmt is a compiled statement. Its arguments are set one by one, numbered from
// 1, before it is run; those that are not set again keep no value.
type stmt struct {
	c     *conn
	p     uintptr
	rc    int32     // the first error of setting arguments
	arena uintptr   // SQLite's memory for the texts of one run; 0 until there is one
	used  int       // bytes of it
	large []uintptr // texts that did not fit into it
}

// arenaSize is enough for the texts of most runs.
const arenaSize = 128 << 10

func (s *stmt) note(rc int32) {
	if rc != sqlite3.SQLITE_OK && s.rc == sqlite3.SQLITE_OK {
		s.rc = rc
	}
}

func (s *stmt) setNull(i int) { s.note(sqlite3.Xsqlite3_bind_null(s.c.tls, s.p, int32(i))) }

func (s *stmt) setInt(i int, v int64) { s.note(sqlite3.Xsqlite3_bind_int64(s.c.tls, s.p, int32(i), v)) }

func (s *stmt) setFloat(i int, v float64) {
	s.note(sqlite3.Xsqlite3_bind_double(s.c.tls, s.p, int32(i), v))
}

// setText copies a text.
func (s *stmt) setText(i int, v []byte) {
	if p := s.keep(v); p != 0 {
		s.note(sqlite3.Xsqlite3_bind_text(s.c.tls, s.p, int32(i), p, int32(len(v)), sqlite3.SQLITE_STATIC))
	}
}

func (s *stmt) setBlob(i int, v []byte) {
	if p := s.keep(v); p != 0 {
		s.note(sqlite3.Xsqlite3_bind_blob(s.c.tls, s.p, int32(i), p, int32(len(v)), sqlite3.SQLITE_STATIC))
	}
}

// keep copies bytes to where they stay until the run is over.
func (s *stmt) keep(v []byte) uintptr {
	if s.arena == 0 {
		s.arena = s.allocate(arenaSize)
	}
	if s.arena == 0 || len(v) > 1<<30 {
		s.note(sqlite3.SQLITE_TOOBIG)
		return 0
	}
	p := s.arena + uintptr(s.used)
	if len(v) <= arenaSize-s.used {
		s.used += len(v)
	} else {
		if p = s.allocate(len(v)); p == 0 {
			return 0
		}
		s.large = append(s.large, p)
	}
	copy(bytesAt(p, len(v)), v)
	return p
}

func (s *stmt) allocate(n int) uintptr {
	p := libc.Xmalloc(s.c.tls, types.Size_t(n))
	if p == 0 {
		s.note(sqlite3.SQLITE_NOMEM)
	}
	return p
}

// set sets the first arguments.
func (s *stmt) set(values []any) error {
	n := int(sqlite3.Xsqlite3_bind_parameter_count(s.c.tls, s.p))
	if n > len(values) {
		return fmt.Errorf("a statement has %d arguments: want %d", len(values), n)
	}
	for i, v := range values[:n] {
		switch v := v.(type) {
		case nil:
			s.setNull(i + 1)
		case int64:
			s.setInt(i+1, v)
		case bool:
			if s.setInt(i+1, 0); v {
				s.setInt(i+1, 1)
			}
		case float64:
			s.setFloat(i+1, v)
		case string:
			s.setText(i+1, unsafe.Slice(unsafe.StringData(v), len(v)))
		case []byte:
			s.setBlob(i+1, v)
		default:
			return fmt.Errorf("a statement has an argument of type %T", v)
		}
	}
	return nil
}

// begin sets arguments and has next give the rows.
func (s *stmt) begin(ctx context.Context, values ...any) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return s.set(values)
}

// run sets arguments and runs the statement to its end.
func (s *stmt) run(ctx context.Context, values ...any) error {
	if s.p == 0 {
		return nil // it was blank
	}
	if err := s.begin(ctx, values...); err != nil {
		return err
	}
	return s.finish()
}

// finish runs the statement with the arguments that were set, to its end.
func (s *stmt) finish() error {
	for {
		more, err := s.step()
		if err != nil || !more {
			s.reset()
			return err
		}
	}
}

// step goes on to the next row, and reports whether there is one.
func (s *stmt) step() (bool, error) {
	if s.rc != sqlite3.SQLITE_OK {
		return false, s.c.failed(s.rc)
	}
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.failed(rc)
	}
}

// reset makes the statement ready to be run again.
func (s *stmt) reset() {
	sqlite3.Xsqlite3_reset(s.c.tls, s.p) // its error is that of step
	s.used, s.rc = 0, sqlite3.SQLITE_OK
	for _, p := range s.large {
		libc.Xfree(s.c.tls, p)
	}
	s.large = s.large[:0]
}

// columns returns how many values a row has.
func (s *stmt) columns() int { return int(sqlite3.Xsqlite3_column_count(s.c.tls, s.p)) }

// next fills row, or returns io.EOF and is ready to be run again.
func (s *stmt) next(row []any) error {
	more, err := s.step()
	if err != nil || !more {
		s.reset()
		if err == nil {
			err = io.EOF
		}
		return err
	}
	for i := range row {
		row[i] = s.value(int32(i))
	}
	return nil
}

// value returns a column of the row under way: an int64, a float64, a string, a
// []byte, or nil.
func (s *stmt) value(i int32) any {
	tls := s.c.tls
	switch sqlite3.Xsqlite3_column_type(tls, s.p, i) {
	case sqlite3.SQLITE_INTEGER:
		return sqlite3.Xsqlite3_column_int64(tls, s.p, i)
	case sqlite3.SQLITE_FLOAT:
		return sqlite3.Xsqlite3_column_double(tls, s.p, i)
	case sqlite3.SQLITE_TEXT:
		p := sqlite3.Xsqlite3_column_text(tls, s.p, i)
		return string(bytesAt(p, int(sqlite3.Xsqlite3_column_bytes(tls, s.p, i))))
	case sqlite3.SQLITE_BLOB:
		return append([]byte{}, s.bytes(i)...)
	default:
		return nil
	}
}

// bytes returns a column of the row under way that is a blob. It is valid until the
// next step.
func (s *stmt) bytes(i int32) []byte {
	n := int(sqlite3.Xsqlite3_column_bytes(s.c.tls, s.p, i))
	if n == 0 {
		return nil
	}
	return bytesAt(sqlite3.Xsqlite3_column_blob(s.c.tls, s.p, i), n)
}

// integer returns a column of the row under way that is one.
func (s *stmt) integer(i int32) int64 { return sqlite3.Xsqlite3_column_int64(s.c.tls, s.p, i) }

// Close forgets the statement. It may be called again.
func (s *stmt) Close() {
	if s.p == 0 || s.c.tls == nil {
		return
	}
	s.reset()
	sqlite3.Xsqlite3_finalize(s.c.tls, s.p) // its error is that of step
	if s.arena != 0 {
		libc.Xfree(s.c.tls, s.arena)
	}
	s.p, s.arena = 0, 0
}
