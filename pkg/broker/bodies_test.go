package broker

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// announce makes a guarded connection whose client says that a request of a size comes.
func announce(t *testing.T, b *bodies, size int) *guard {
	t.Helper()
	here, there := net.Pipe()
	g := &guard{Conn: here, bodies: b, quota: newQuota(0), readers: new(readers)}
	t.Cleanup(func() { _, _ = g.Close(), there.Close() })
	head := binary.BigEndian.AppendUint32(nil, uint32(size))
	go func() { _, _ = there.Write(append(head, make([]byte, size)...)) }() // it may be hung up on
	return g
}

// A slow client is a connection whose reads bring a byte, and which notes until when they
// may wait.
type slow struct {
	net.Conn
	frame []byte
	until []time.Time
}

func (s *slow) Read(p []byte) (int, error) {
	n := copy(p[:1], s.frame)
	s.frame = s.frame[n:]
	return n, nil
}

func (s *slow) SetReadDeadline(t time.Time) error {
	s.until = append(s.until, t)
	return nil
}

// TestBodiesComeFastEnough: each byte of a large request buys its client the time that so
// much takes, and not more.
func TestBodiesComeFastEnough(t *testing.T) {
	const size = 8 << 20
	s := &slow{frame: append(binary.BigEndian.AppendUint32(nil, size), make([]byte, size)...)}
	g := &guard{Conn: s, bodies: newBodies(size), quota: newQuota(0), readers: new(readers)}
	for range 1000 {
		if _, err := g.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	first, last := s.until[0], s.until[len(s.until)-1]
	if most := 1000 * time.Second / slowestBody; last.Sub(first) > most || !last.After(first) {
		t.Errorf("a thousand bytes bought %v, want at most %v", last.Sub(first), most)
	}
}

// TestBodiesHaveABound: a large request waits until others have been read and handed on, or
// their connections are gone; small ones and those whose own connection is closed do not.
func TestBodiesHaveABound(t *testing.T) {
	const size = 8 << 20
	b := newBodies(size)
	head := func(g *guard) error {
		_, err := g.Read(make([]byte, 4))
		return err
	}
	first := announce(t, b, size)
	if err := head(first); err != nil {
		t.Fatal(err)
	}
	if err := head(announce(t, b, largeBody-1)); err != nil {
		t.Fatal(err)
	}
	closed := announce(t, b, size)
	answer := make(chan error)
	go func() { answer <- head(closed) }()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err == nil {
		t.Error("a connection that was closed has room")
	}
	var freed atomic.Bool
	second := announce(t, b, size)
	go func() {
		err := head(second)
		if err == nil && !freed.Load() {
			t.Error("there is room for two")
		}
		answer <- err
	}()
	for read := 0; read < size; {
		n, err := first.Read(make([]byte, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		read += n
	}
	freed.Store(true)
	go first.Read(make([]byte, 4)) // nothing comes: it is handed on
	if err := <-answer; err != nil {
		t.Error(err)
	}
	third := announce(t, b, size)
	go func() { answer <- head(third) }()
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
}
