package store

import (
	"path/filepath"
	"testing"
)

// A connection that is closed keeps nothing from others, whatever was left open.
func TestCloseUndoesWhatIsUnderWay(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "db"), t.Context()
	c := opened(t, path)
	if _, err := exec(ctx, c, "CREATE TABLE t (a); BEGIN IMMEDIATE"); err != nil {
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
	if _, err := exec(ctx, other, "PRAGMA busy_timeout = 10; INSERT INTO t VALUES (1)"); err != nil {
		t.Error(err)
	}
	rows := int64(-1)
	err = query(ctx, other, "SELECT count(*) FROM t", func(row []any) { rows, _ = row[0].(int64) })
	if rows != 1 || err != nil {
		t.Errorf("%d rows, %v", rows, err)
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
