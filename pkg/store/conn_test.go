package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
)

// What SQLite cannot open is reported with the reason of the system, and with what
// helps. A directory in place of the log says so as a disk does that takes no writes.
func TestOpeningSaysWhatTheSystemSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	c := opened(t, path)
	if err := exec(t.Context(), c, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+"-wal", 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := OpenSource(t.Context(), path, "t")
	if err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("error %v, want one that says what is there", err)
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "beside a database") {
		t.Errorf("hint %q", hint)
	}
	denied := opening(path, &Error{Code: sqlite3.SQLITE_READONLY_DIRECTORY, text: "attempt to write"})
	if hint := fault.HintOf(denied); !strings.Contains(hint, "beside a database") {
		t.Errorf("read-only: hint %q", hint)
	}
}

// A connection that is closed keeps nothing from others, whatever was left open.
func TestCloseUndoesWhatIsUnderWay(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "db"), t.Context()
	c := opened(t, path)
	if err := exec(ctx, c, "CREATE TABLE t (a); BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	s, err := c.prepare("INSERT INTO t VALUES (?)")
	if err == nil {
		err = s.run(ctx, "x")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	s.Close()
	other := opened(t, path)
	if err := exec(ctx, other, "PRAGMA busy_timeout = 10; INSERT INTO t VALUES (1)"); err != nil {
		t.Error(err)
	}
	rows := int64(-1)
	err = query(ctx, other, "SELECT count(*) FROM t", func(row []any) { rows, _ = row[0].(int64) })
	if rows != 1 || err != nil {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// What is committed to a database that has lost its name would be lost: it is an error.
func TestNothingIsCommittedToWhatWasMoved(t *testing.T) {
	for name, away := range map[string]func(path string) error{
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		},
	} {
		path := filepath.Join(t.TempDir(), "db")
		c := opened(t, path)
		if err := exec(t.Context(), c, "CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		if err := c.commit(t.Context()); err != nil {
			t.Errorf("%s: %v before", name, err)
		}
		if err := exec(t.Context(), c, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"); err != nil {
			t.Fatal(err)
		}
		if err := away(path); err != nil {
			t.Fatal(err)
		}
		if err := c.commit(t.Context()); err == nil || !strings.Contains(err.Error(), "moved or removed") {
			t.Errorf("%s: committed: %v", name, err)
		}
	}
}

func opened(t *testing.T, path string) *conn {
	t.Helper()
	c, err := open(t.Context(), path, unsynced)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
