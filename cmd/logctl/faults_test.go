package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A mishap happens to the n-th request of a kind, counted from 0: the connection breaks,
// or the process is killed that has sent it.
type mishap struct {
	key      kmsg.Key
	n        int
	answered bool // the broker has done it, and its answer is lost
	kill     bool
}

// String names it for a test.
func (m mishap) String() string {
	what := "lost"
	if m.kill {
		what = "killed"
	}
	if m.answered {
		what += "-answered"
	}
	return fmt.Sprintf("%s-%d-%s", m.key.Name(), m.n, what)
}

// mishaps returns all that may happen to the first so many requests of each kind.
func mishaps(most int) (all []mishap) {
	for _, key := range []kmsg.Key{
		kmsg.Produce, kmsg.InitProducerID, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.OffsetFetch, kmsg.JoinGroup,
	} {
		for n := range most {
			for _, answered := range []bool{false, true} {
				all = append(all, mishap{key, n, answered, false}, mishap{key, n, answered, true})
			}
		}
	}
	return all
}

// A frail listener is one of a broker, on whose connections a mishap happens.
type frail struct {
	net.Listener
	mishap
	kill func()

	mu    sync.Mutex
	armed bool
	seen  int
}

// listen makes it listen.
func (f *frail) listen(network, addr string) (net.Listener, error) {
	var err error
	f.Listener, err = net.Listen(network, addr)
	return f, err
}

// Accept waits for a connection.
func (f *frail) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &frailConn{Conn: c, of: f}, nil
}

// arm has the mishap happen. Requests are counted from now on.
func (f *frail) arm(kill func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.kill = true, kill
}

// happened reports whether it has happened.
func (f *frail) happened() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.armed
}

// meets reports whether a request is the one.
func (f *frail) meets(key int16) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed || key != int16(f.key) {
		return false
	}
	f.seen++
	f.armed = f.seen <= f.n
	return !f.armed
}

// A frailConn is a connection to a broker.
type frailConn struct {
	net.Conn
	of    *frail
	frame []byte // of a request, that is still to be read
	mu    sync.Mutex
	met   bool
	id    uint32 // of the request whose answer is lost
}

// Read reads requests.
func (c *frailConn) Read(p []byte) (int, error) {
	if len(c.frame) == 0 {
		var err error
		if c.frame, err = requestFrom(c.Conn); err != nil {
			return 0, err
		}
		if c.of.meets(int16(binary.BigEndian.Uint16(c.frame[4:]))) {
			if !c.of.answered {
				return 0, c.perish()
			}
			c.mu.Lock()
			c.met, c.id = true, binary.BigEndian.Uint32(c.frame[8:])
			c.mu.Unlock()
		}
	}
	n := copy(p, c.frame)
	c.frame = c.frame[n:]
	return n, nil
}

// requestFrom reads a whole request.
func requestFrom(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// Write writes an answer.
func (c *frailConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	lost := c.met && binary.BigEndian.Uint32(p[4:]) == c.id
	c.mu.Unlock()
	if lost {
		return 0, c.perish()
	}
	return c.Conn.Write(p)
}

// perish ends the connection.
func (c *frailConn) perish() error {
	if c.of.mishap.kill {
		c.of.kill()
	}
	_ = c.Close()
	return io.ErrUnexpectedEOF
}

// TestMishaps: something happens to one request of a member of a group, whose state is in
// the group and whose records go through an internal topic. Exactly once, the rows are in
// the end those of one run over a file. TEST_MISHAPS says to how many requests of each kind
// it happens, each in a run of its own.
func TestMishaps(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(file, keyedRecords(500), 0o600); err != nil {
		t.Fatal(err)
	}
	command := groupCommands["sessions"]
	c := &client{home: t.TempDir(), addrs: []string{"none"}}
	want := sortedLines(c.logctl(t, nil, append(slices.Clone(command), "-q", file)...))
	for _, m := range mishaps(number(t, "TEST_MISHAPS", 2)) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			if got := m.happen(t, file, command); !slices.Equal(got, want) {
				t.Errorf("%d rows, want %d, of which %d are there; the first that differs: %s",
					len(got), len(want), common(got, want), firstOther(got, want))
			}
		})
	}
}

// happen has it happen to a command that reads what is in a file, and returns its rows.
func (m mishap) happen(t *testing.T, file string, command []string) []string {
	t.Helper()
	at := &frail{mishap: m}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(at.listen),
		kfake.SeedTopics(2, "in"), kfake.SeedTopics(1, "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := &client{home: t.TempDir(), addrs: cluster.ListenAddrs()}
	c.logctl(t, nil, "produce", "-q", "--to", "kafka:in", "--key", "k", file)
	args := append(slices.Clone(command),
		"--from", "kafka:in", "--group", "g", "--delivery", "exactly-once", "--to", "kafka:out", "--stop", "end")
	running := make(chan *os.Process, 1)
	at.arm(func() { _ = (<-running).Kill() }) // it has ended where that fails
	p := c.start(t, nil, nil, args...)
	running <- p.Process
	if err := p.Wait(); err != nil {
		t.Logf("it ended with %v: %s", err, p.errs.String())
		c.start(t, nil, nil, args...).end(t)
	}
	if m.n == 0 && !at.happened() {
		t.Error("it did not happen")
	}
	return sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:out", "--stop", "end"))
}
