package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
)

// A conn is a connection to a database file, for one goroutine at a time: SQLite
// takes no lock for it. How a context ends is noticed between statements.
type conn struct {
	tls *libc.TLS
	db  uintptr // 0 when it is closed
}

// How a database is set up. Of one that is not synced, what was committed last may
// be gone after the power was: rows and positions together. Its pages are large,
// as rows come one behind the other.
const (
	synced   = "PRAGMA page_size = 4096; PRAGMA journal_mode = wal; PRAGMA synchronous = full"
	unsynced = "PRAGMA page_size = 16384; PRAGMA cache_size = -16384; PRAGMA journal_mode = wal; " +
		"PRAGMA synchronous = normal"
	readOnly = "PRAGMA query_only = 1"
)

// open opens or creates the database file at path for writing, and sets it up. Its
// statements wait for other processes as long as run goes on.
func open(run context.Context, path, pragmas string) (*conn, error) {
	return openFile(run, path, pragmas, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE)
}

// openFile opens the database file at path as the flags say.
func openFile(run context.Context, path, pragmas string, flags int32) (*conn, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, fault.Usagef("as in sqlite:logs.db#events", "sqlite %q is no path of a file", path)
	}
	c := &conn{tls: libc.NewTLS()}
	err := c.open(run, path, flags|sqlite3.SQLITE_OPEN_NOMUTEX)
	if err == nil {
		err = exec(context.Background(), c, pragmas)
	}
	if err != nil {
		return nil, errors.Join(opening(path, err), c.Close())
	}
	return c, nil
}

// opening says of an error that a database could not be opened.
func opening(path string, err error) error {
	err = fmt.Errorf("opening sqlite %q: %w", path, err)
	if e, ok := errors.AsType[*Error](err); ok {
		switch e.Code & 0xff {
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			dir := filepath.Dir(path)
			if _, missing := os.Stat(dir); errors.Is(missing, fs.ErrNotExist) {
				return fault.Hint(err, "mkdir -p "+dir)
			}
			return fault.Hint(err, "SQLite keeps files beside a database, even to read it: "+
				"put it into a directory where you may write")
		}
	}
	return err
}

// openScratch makes a database on disk that has no name and is gone when it is closed.
func openScratch(ctx context.Context) (*conn, error) {
	c := &conn{tls: libc.NewTLS()}
	err := c.open(ctx, "", sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE|sqlite3.SQLITE_OPEN_NOMUTEX)
	if err == nil {
		err = exec(ctx, c, "PRAGMA page_size = 16384; PRAGMA cache_size = -65536; PRAGMA journal_mode = off; "+
			"PRAGMA synchronous = off")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening a database for what is compared: %w", err), c.Close())
	}
	return c, nil
}

func (c *conn) open(run context.Context, path string, flags int32) error {
	name, err := libc.CString(path)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, name)
	out := c.tls.Alloc(pointerSize)
	defer c.tls.Free(pointerSize)
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, out, flags, 0)
	c.db = pointerAt(out) // there is one that has the message where this fails, too
	if rc != sqlite3.SQLITE_OK {
		return c.failed(rc)
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	c.waitFor(run)
	return nil
}

// Close closes the connection, and undoes a transaction that is under way. Statements
// that are left are over, too: with one of them SQLite would keep all as it is. It may
// be called again.
func (c *conn) Close() error {
	if c.tls == nil {
		return nil
	}
	for p := c.nextStatement(); p != 0; p = c.nextStatement() {
		sqlite3.Xsqlite3_finalize(c.tls, p) // its error is that of step
	}
	waits.Delete(c.db)
	rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	c.tls.Close()
	c.tls, c.db = nil, 0
	if rc != sqlite3.SQLITE_OK {
		return &Error{Code: int(rc), text: "closing it"}
	}
	return nil
}

// nextStatement returns a statement that was not closed, 0 where there is none.
func (c *conn) nextStatement() uintptr {
	if c.db == 0 {
		return 0
	}
	return sqlite3.Xsqlite3_next_stmt(c.tls, c.db, 0)
}

// prepare compiles one statement, to be run many times.
func (c *conn) prepare(sql string) (*stmt, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	s, _, err := c.compile(text, sqlite3.SQLITE_PREPARE_PERSISTENT)
	return s, err
}

// compile compiles the first statement of a text that ends with a zero, and
// returns where the next one begins. What is blank is no statement.
func (c *conn) compile(text uintptr, flags uint32) (s *stmt, rest uintptr, err error) {
	out := c.tls.Alloc(2 * pointerSize)
	defer c.tls.Free(2 * pointerSize)
	rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, flags, out, out+uintptr(pointerSize))
	if rc != sqlite3.SQLITE_OK {
		return nil, 0, c.failed(rc)
	}
	return &stmt{c: c, p: pointerAt(out)}, pointerAt(out + uintptr(pointerSize)), nil
}

// changes returns how many rows the last statement has changed.
func (c *conn) changes() int64 { return sqlite3.Xsqlite3_changes64(c.tls, c.db) }

// An Error is one of SQLite's.
type Error struct {
	Code int // extended, as sqlite.org/rescode.html lists them
	text string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.Code) }

// failed returns the error of the last call.
func (c *conn) failed(rc int32) error {
	kind := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	text := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	if text != kind {
		text = kind + ": " + text
	}
	if code := rc & 0xff; code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_IOERR {
		if errno := sqlite3.Xsqlite3_system_errno(c.tls, c.db); errno != 0 {
			text += ": " + syscall.Errno(errno).Error()
		}
	}
	return &Error{Code: int(rc), text: text}
}

// full reports whether the disk had no room for a file, or failed to take it.
func full(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code&0xff == sqlite3.SQLITE_FULL || e.Code&0xff == sqlite3.SQLITE_IOERR)
}

// busy reports whether another process keeps the database for itself.
func busy(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code&0xff == sqlite3.SQLITE_BUSY
}

const pointerSize = int(unsafe.Sizeof(uintptr(0)))

// bytesAt returns n bytes of SQLite's memory, which the collector does not know.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n) }

// pointerAt returns a pointer that SQLite has written.
func pointerAt(p uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&p)) }

// exec runs statements, one behind the other, each with the same arguments.
func exec(ctx context.Context, c *conn, statements string, values ...any) error {
	text, err := libc.CString(statements)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	for rest := text; bytesAt(rest, 1)[0] != 0; {
		var s *stmt
		if s, rest, err = c.compile(rest, 0); err != nil {
			return err
		}
		err = s.run(ctx, values...)
		if s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// query runs a statement and calls each for its rows. What row holds is the
// callee's.
func query(ctx context.Context, c *conn, statement string, each func(row []any), values ...any) error {
	s, err := c.prepare(statement)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.begin(ctx, values...); err != nil {
		return err
	}
	row := make([]any, s.columns())
	for {
		err := s.next(row)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		each(row)
	}
}
