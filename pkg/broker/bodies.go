package broker

import (
	"net"
	"sync"
	"time"
)

// Bodies bound the memory of large requests that are being read: a client may announce
// 100 MB, and so may a hundred of them. Each waits until there is room for its own. One
// that has room and sends it too slowly is hung up on.
type bodies struct {
	mu    sync.Mutex
	freed sync.Cond
	left  int
}

const (
	maxBodies = 256 << 20 // bytes of all that are counted
	largeBody = 1 << 20   // smaller ones are not: they are there in a moment
	bodyWait  = 30 * time.Second

	slowestBody = 64 << 10 // bytes of one that have to come each second, after that
)

func newBodies(left int) *bodies {
	b := &bodies{left: left}
	b.freed.L = &b.mu
	return b
}

// take waits for room for a body; false where the connection was closed meanwhile.
func (b *bodies) take(size int, closed func() bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.left < size {
		if closed() {
			return false
		}
		b.freed.Wait()
	}
	b.left -= size
	return true
}

// give gives room back, or has those that wait look whether they were closed.
func (b *bodies) give(size int) {
	b.mu.Lock()
	b.left += size
	b.mu.Unlock()
	b.freed.Broadcast()
}

// admit waits for room for the body of a frame whose length is known.
func (g *guard) admit(size int) error {
	if size < largeBody || g.taken.Load() > 0 {
		return nil
	}
	if !g.bodies.take(size, g.isClosed) {
		return net.ErrClosed
	}
	g.began = time.Now()
	if g.taken.Store(int64(size)); g.isClosed() {
		g.dismiss()
	}
	return nil
}

// dismiss gives back what the last frame had.
func (g *guard) dismiss() { g.bodies.give(int(g.taken.Swap(0))) }

// awaitBody has a client whose large request has room send it, or be hung up on.
func (g *guard) awaitBody() {
	switch {
	case g.taken.Load() == 0:
	case g.left+g.have > 0:
		got := 0
		if g.left > 0 {
			got = int(g.taken.Load()) - g.left
		}
		_ = g.SetReadDeadline(g.began.Add(bodyWait + time.Duration(got)*(time.Second/slowestBody))) // the read tells
	default: // kfake asks for the next request
		g.dismiss()
		_ = g.SetReadDeadline(time.Time{}) // as above
	}
}

func (g *guard) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}
