package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// An image is a database in memory, attached to a connection, of one table whose only
// page is written here, as sqlite.org/fileformat.html lays it out. One statement takes
// all its rows, and no argument is set. Where SQLite may take them as they are, it does
// so without a look into them: four instructions for a row instead of two for each value.
//
// SQLite maps the page, as if it were a file's, and keeps no copy of it: each statement
// finds what is there by then, of two in one transaction, too.
type image struct {
	c    *conn
	page []byte // SQLite's memory
	rows int
	low  int  // where the rows begin: they are written from the end of the page on
	odd  bool // one of them is not as its columns would have it
}

const (
	imageName  = "_logctl_image" // the database
	imageTable = imageName + ".rows"
	imagePage  = 64 << 10 // bytes, the most that there may be

	leafHeader    = 8              // bytes of a page before the places of its rows, two bytes each
	longestPacked = imagePage - 35 // bytes of a row that stands on its page as a whole
)

// attachImage attaches an image of a table whose columns are of the given kinds. There
// is none where the texts of the database are not UTF-8, or where SQLite maps no memory.
func attachImage(ctx context.Context, c *conn, kinds []affinity) (*image, error) {
	encoding := ""
	err := query(ctx, c, "PRAGMA encoding", func(row []any) { encoding = text(row[0]) })
	if err != nil || encoding != "UTF-8" {
		return nil, err
	}
	memory, err := emptyImage(ctx, kinds)
	if err != nil {
		return nil, err
	}
	if err := c.attachMemory(ctx, imageName, memory, 2*imagePage); err != nil {
		return nil, err
	}
	m := &image{c: c, page: bytesAt(memory+imagePage, imagePage), low: imagePage}
	if mapped, err := m.mapped(ctx, len(kinds)); err != nil || !mapped {
		m.detach()
		return nil, err
	}
	return m, nil
}

// mapped has SQLite map the page, and reports whether it sees what changes there.
func (m *image) mapped(ctx context.Context, columns int) (bool, error) {
	if err := exec(ctx, m.c, fmt.Sprintf("PRAGMA %s.mmap_size = %d", imageName, 2*imagePage)); err != nil {
		return false, err
	}
	nulls := packed{kinds: make([]byte, columns)}
	for rows := range int64(3) {
		for range rows {
			m.add(&nulls)
		}
		m.show()
		var seen any
		err := query(ctx, m.c, "SELECT count(*) FROM "+imageTable, func(row []any) { seen = row[0] })
		if err != nil || seen != rows {
			return false, err
		}
	}
	return true, nil
}

// emptyImage returns memory of SQLite's that holds two pages, as SQLite has written
// them: what the database has, and the page of its table, without a row.
func emptyImage(ctx context.Context, kinds []affinity) (uintptr, error) {
	columns := make([]string, len(kinds))
	for i, k := range kinds {
		columns[i] = fmt.Sprintf("c%d %s", i, k)
	}
	c := &conn{tls: libc.NewTLS()}
	err := c.open(ctx, ":memory:", sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE|sqlite3.SQLITE_OPEN_NOMUTEX)
	if err == nil {
		create := "PRAGMA page_size = %d; CREATE TABLE rows (%s)"
		err = exec(ctx, c, fmt.Sprintf(create, imagePage, strings.Join(columns, ", ")))
	}
	var memory uintptr
	if err == nil {
		memory, err = c.serialize("main")
	}
	return memory, errors.Join(err, c.Close())
}

// serialize returns a copy of a database in memory of SQLite's.
func (c *conn) serialize(name string) (uintptr, error) {
	text, err := libc.CString(name)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(c.tls, text)
	size := c.tls.Alloc(pointerSize)
	defer c.tls.Free(pointerSize)
	memory := sqlite3.Xsqlite3_serialize(c.tls, c.db, text, size, 0)
	if memory == 0 {
		return 0, c.failed(sqlite3.SQLITE_NOMEM)
	}
	return memory, nil
}

// attachMemory attaches what serialize has returned, which is the connection's then.
func (c *conn) attachMemory(ctx context.Context, name string, memory uintptr, size int64) error {
	text, err := libc.CString(name)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	if err := exec(ctx, c, "ATTACH ':memory:' AS "+name); err != nil {
		sqlite3.Xsqlite3_free(c.tls, memory)
		return err
	}
	rc := sqlite3.Xsqlite3_deserialize(c.tls, c.db, text, memory, size, size, sqlite3.SQLITE_DESERIALIZE_FREEONCLOSE)
	if rc != sqlite3.SQLITE_OK {
		return c.failed(rc)
	}
	return nil
}

// add adds a row, or reports that there is no room for it.
func (m *image) add(r *packed) bool {
	header := len(r.kinds) + 1
	if header > 1<<7-1 {
		header++ // it counts its own length, which takes two bytes
	}
	size := header + len(r.values)
	number := uint64(m.rows) + 1
	low := m.low - size - varintSize(uint64(size)) - varintSize(number)
	if size > longestPacked || low < leafHeader+2*(m.rows+1) {
		return false
	}
	cell := appendVarint(m.page[low:low:m.low], uint64(size))
	cell = appendVarint(cell, number)
	cell = appendVarint(cell, uint64(header))
	cell = append(cell, r.kinds...)
	_ = append(cell, r.values...)
	binary.BigEndian.PutUint16(m.page[leafHeader+2*m.rows:], uint16(low))
	m.rows, m.low, m.odd = m.rows+1, low, m.odd || r.misfit
	return true
}

// show has the page say which rows it holds, and begins anew.
func (m *image) show() {
	binary.BigEndian.PutUint16(m.page[3:], uint16(m.rows))
	binary.BigEndian.PutUint16(m.page[5:], uint16(m.low)) // 0 is the end of the page
	m.rows, m.low, m.odd = 0, imagePage, false
}

// take runs a statement that takes the rows, and forgets them.
func (m *image) take(s *stmt) error {
	m.show()
	return s.finish()
}

// detach forgets the image, unless a transaction is under way.
func (m *image) detach() { _ = exec(context.Background(), m.c, "DETACH "+imageName) }
