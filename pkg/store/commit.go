package store

import (
	"context"
	"errors"

	sqlite3 "modernc.org/sqlite/lib"
)

// commit ends the transaction that is under way, so that it lasts. In a database that is
// no longer there under its name nobody would find it again: that is an error.
func (c *conn) commit(ctx context.Context) error {
	if c.moved() {
		return errors.New("the database was moved or removed while it was written to")
	}
	err := exec(ctx, c, "COMMIT")
	return err
}

// moved reports whether the database's file is no longer there under its name.
func (c *conn) moved() bool {
	out := c.tls.Alloc(4)
	defer c.tls.Free(4)
	clear(bytesAt(out, 4))
	rc := sqlite3.Xsqlite3_file_control(c.tls, c.db, 0, sqlite3.SQLITE_FCNTL_HAS_MOVED, out)
	return rc == sqlite3.SQLITE_OK && string(bytesAt(out, 4)) != "\x00\x00\x00\x00"
}
