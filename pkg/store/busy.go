package store

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a statement waits for another process's transaction. Tests
// shorten it.
var busyTimeout = 10 * time.Second

// leaveTimeout is how long one still waits when the run is to end.
const leaveTimeout = 400 * time.Millisecond

// A wait is that of a connection's statement for another process.
type wait struct {
	run   context.Context // when it is done, the run is to end
	began time.Time
	told  time.Time // when the end of the run was seen; zero before
}

// waits are those of the connections that are open, by their databases.
var waits sync.Map // uintptr -> *wait

// waitFor has the connection's statements wait for other processes.
func (c *conn) waitFor(run context.Context) {
	waits.Store(c.db, &wait{run: run})
	sqlite3.Xsqlite3_busy_handler(c.tls, c.db, cFunction(onBusy), c.db)
}

// onBusy is called by SQLite where another process keeps the database for itself, for
// the first time with count 0. It returns whether to try again.
func onBusy(_ *libc.TLS, db uintptr, count int32) int32 {
	v, _ := waits.Load(db)
	if w, ok := v.(*wait); ok && w.again(count) {
		return 1
	}
	return 0
}

func (w *wait) again(count int32) bool {
	now := time.Now()
	if count == 0 {
		w.began, w.told = now, time.Time{}
	}
	if w.told.IsZero() && w.run.Err() != nil {
		w.told = now
	}
	if now.Sub(w.began) >= busyTimeout || !w.told.IsZero() && now.Sub(w.told) >= leaveTimeout {
		return false
	}
	time.Sleep(min(time.Millisecond<<min(count, 6), 50*time.Millisecond))
	return true
}

// cFunction returns a declared function, no closure, as SQLite calls it: a value of a
// function is a pointer to its code.
func cFunction[T any](f T) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f})) }
