package broker

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The size of a request, after its length prefix. The greatest is Apache
// Kafka's default (socket.request.max.bytes).
const (
	minRequest = 8
	maxRequest = 100 << 20
)

// headerSize is the length prefix, the API key, its version and the
// correlation id: what a guard looks at.
const headerSize = 12

var errNotKafka = errors.New("not a kafka request")

// A guard is a connection to kfake that fails at the first frame that kfake
// would not survive. It also corrects the answers to ApiVersions, on the wire:
// kfake's own hook for that (ControlKey) keeps the last request of every
// connection for ever. And it hides from kfake that a client has gone that waits to
// be told of its group: kfake begins to watch a member when it has answered it, and
// one that it cannot answer kept its partitions for ever.
//
// One goroutine reads and one writes. A frame's length and its body are read
// with reads of just these sizes, and an answer is sent with one Write: so does
// kfake.
type guard struct {
	net.Conn
	quota *quota

	head [headerSize]byte // of the frame being read
	have int              // bytes of head
	left int              // bytes of the frame after head

	mu     sync.Mutex
	asked  []asked // requests without an answer yet, of those that matter here
	less   sync.Cond
	closed bool
}

func newGuard(conn net.Conn, q *quota) *guard {
	g := &guard{Conn: conn, quota: q}
	g.less.L = &g.mu
	return g
}

type asked struct {
	key         kmsg.Key
	correlation int32
	version     int16
}

// Read implements net.Conn.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if err != nil {
		g.awaitGroup()
	}
	for b := p[:n]; len(b) > 0; {
		if g.left > 0 {
			skip := min(g.left, len(b))
			g.left -= skip
			b = b[skip:]
			continue
		}
		m := copy(g.head[g.have:], b)
		g.have += m
		b = b[m:]
		if !g.valid() {
			return 0, errNotKafka
		}
		if g.have == headerSize {
			g.begin()
		}
	}
	return n, err
}

// valid reports whether what there is of the header is that of a request that
// kfake knows.
func (g *guard) valid() bool {
	if g.have >= 4 {
		if size := binary.BigEndian.Uint32(g.head[:]); size < minRequest || size > maxRequest {
			return false
		}
	}
	return g.have < 6 || kmsg.RequestForKey(g.key()) != nil
}

func (g *guard) key() int16 { return int16(binary.BigEndian.Uint16(g.head[4:])) }

// begin takes note of a frame whose header is complete.
func (g *guard) begin() {
	size := int(binary.BigEndian.Uint32(g.head[:]))
	g.have, g.left = 0, size-minRequest
	switch key := kmsg.Key(g.key()); key {
	case kmsg.Produce:
		g.quota.stored.Add(int64(size))
	case kmsg.ApiVersions, kmsg.JoinGroup, kmsg.SyncGroup:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked = append(g.asked, asked{
			key:         key,
			version:     int16(binary.BigEndian.Uint16(g.head[6:])),
			correlation: int32(binary.BigEndian.Uint32(g.head[8:])),
		})
	default:
	}
}

// awaitGroup waits until what the client has asked of its group is answered, at
// the latest when the rebalance is over.
func (g *guard) awaitGroup() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.closed && slices.ContainsFunc(g.asked, asked.ofGroup) {
		g.less.Wait()
	}
}

func (a asked) ofGroup() bool { return a.key != kmsg.ApiVersions }

// Close implements net.Conn.
func (g *guard) Close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.less.Broadcast()
	return g.Conn.Close()
}

// Write implements net.Conn.
func (g *guard) Write(p []byte) (int, error) {
	if a, ok := g.answers(p); ok && a.key == kmsg.ApiVersions {
		return g.Conn.Write(lowerVersions(p, a.version))
	}
	return g.Conn.Write(p)
}

// answers returns what p answers, if that was noted.
func (g *guard) answers(p []byte) (a asked, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) == 0 || len(p) < 8 {
		return asked{}, false
	}
	correlation := int32(binary.BigEndian.Uint32(p[4:]))
	i := slices.IndexFunc(g.asked, func(a asked) bool { return a.correlation == correlation })
	if i < 0 {
		return asked{}, false
	}
	a = g.asked[i]
	g.asked = slices.Delete(g.asked, i, i+1)
	g.less.Broadcast()
	return a, true
}

// lowerVersions returns frame, an answer to ApiVersions, with 0 as the least
// version of Produce and SaslHandshake. Clients choose the greatest that both
// sides know, so that none comes to use it. A frame that does not parse, such
// as the answer to a version from the future, is returned as it is.
func lowerVersions(frame []byte, version int16) []byte {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.SetVersion(version)
	if version > resp.MaxVersion() || resp.ReadFrom(frame[8:]) != nil {
		return frame
	}
	for i, k := range resp.ApiKeys {
		switch kmsg.Key(k.ApiKey) {
		case kmsg.Produce, kmsg.SASLHandshake:
			resp.ApiKeys[i].MinVersion = 0
		default:
		}
	}
	lowered := resp.AppendTo(slices.Clone(frame[:8]))
	if len(lowered) != len(frame) {
		return frame
	}
	return lowered
}
