package broker

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
// connection for ever. Where the client is gone while it joins a group, it sees to
// its parting, and where it does not take its answers, to its end.
//
// One goroutine reads and one writes. A frame's length and its body are read
// with reads of just these sizes, and an answer is sent with one Write: so does
// kfake.
type guard struct {
	net.Conn
	quota   *quota
	readers *readers
	bodies  *bodies
	stands  time.Duration // see send

	head  [headerSize]byte // of the frame being read
	have  int              // bytes of head
	left  int              // bytes of the frame after head
	joins bool             // parting wants those
	grows int64            // bytes that the frame adds to what is stored, once it is all there

	parting parting
	taken   atomic.Int64 // room that the frame has among the bodies
	began   time.Time    // when it was given that

	mu      sync.Mutex
	asked   []asked // requests for ApiVersions without an answer yet
	fetches bool    // it is one of the readers
	closed  bool
}

type asked struct {
	correlation int32
	version     int16
}

// Read implements net.Conn.
func (g *guard) Read(p []byte) (int, error) {
	g.awaitBody()
	n, err := g.Conn.Read(p)
	for b := p[:n]; len(b) > 0; {
		if g.left > 0 {
			skip := min(g.left, len(b))
			g.pass(b[:skip])
			b = b[skip:]
			continue
		}
		m := copy(g.head[g.have:], b)
		g.have += m
		b = b[m:]
		if !g.valid() {
			return 0, errNotKafka
		}
		if g.have >= 4 {
			if err := g.admit(int(binary.BigEndian.Uint32(g.head[:]))); err != nil {
				return 0, err
			}
		}
		if g.have == headerSize {
			g.begin()
		}
	}
	if n == 0 && err != nil {
		return g.parting.read(p, err)
	}
	return n, err
}

// pass passes over bytes of a frame.
func (g *guard) pass(b []byte) {
	g.left -= len(b)
	if g.left == 0 {
		g.quota.stored.Add(g.grows)
	}
	if !g.joins {
		return
	}
	g.parting.body = append(g.parting.body, b...)
	if g.left == 0 {
		g.parting.end()
	}
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
	g.joins, g.grows = g.parting.begin(g.head[:]), 0
	switch kmsg.Key(g.key()) {
	case kmsg.Produce:
		g.grows = int64(size)
	case kmsg.Fetch:
		g.fetch()
	case kmsg.ApiVersions:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked = append(g.asked, asked{
			version:     int16(binary.BigEndian.Uint16(g.head[6:])),
			correlation: int32(binary.BigEndian.Uint32(g.head[8:])),
		})
	default:
	}
}

// Write implements net.Conn.
func (g *guard) Write(p []byte) (int, error) {
	if g.parting.answers(p) {
		return len(p), nil
	}
	if version, ok := g.answers(p); ok {
		return g.Conn.Write(lowerVersions(p, version))
	}
	return g.send(p)
}

// send writes an answer piece by piece. A client that takes none of it for long loses
// its connection: the memory is for those that read.
func (g *guard) send(p []byte) (sent int, err error) {
	const piece = 64 << 10
	for sent < len(p) && err == nil {
		if err := g.SetWriteDeadline(time.Now().Add(g.stands)); err != nil {
			return sent, err
		}
		var n int
		n, err = g.Conn.Write(p[sent:min(sent+piece, len(p))])
		sent += n
	}
	return sent, err
}

// fetch counts the connection as one of the readers, until it is closed.
func (g *guard) fetch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.fetches && !g.closed {
		g.fetches = true
		g.readers.n.Add(1)
	}
}

// Close implements net.Conn.
func (g *guard) Close() error {
	g.parting.release()
	g.mu.Lock()
	if g.fetches && !g.closed {
		g.readers.n.Add(-1)
	}
	g.closed = true
	g.mu.Unlock()
	g.dismiss()
	return g.Conn.Close()
}

// answers reports whether p is the answer to a request for ApiVersions, and
// its version.
func (g *guard) answers(p []byte) (version int16, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) == 0 || len(p) < 8 {
		return 0, false
	}
	correlation := int32(binary.BigEndian.Uint32(p[4:]))
	i := slices.IndexFunc(g.asked, func(a asked) bool { return a.correlation == correlation })
	if i < 0 {
		return 0, false
	}
	version = g.asked[i].version
	g.asked = slices.Delete(g.asked, i, i+1)
	return version, true
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
