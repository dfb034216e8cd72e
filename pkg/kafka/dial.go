package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// A peerError is what is wrong with the connection to one address.
type peerError struct {
	addr string // host:port
	err  error
}

// Error begins with the address.
func (e *peerError) Error() string { return e.addr + ": " + e.err.Error() }

// Unwrap returns what is wrong.
func (e *peerError) Unwrap() error { return e.err }

// errMute is the error of an address that takes connections and answers nothing.
var errMute = errors.New("it takes connections and does not answer")

// errHungUp is the error of an address that ends connections before it has answered.
var errHungUp = errors.New("it closed the connection at the first request")

// A foreignError is that of an address at which something else than Kafka answers.
type foreignError struct{ begin []byte } // of its answer

// Error shows how the answer begins.
func (e *foreignError) Error() string {
	return fmt.Sprintf("what answers there does not speak Kafka: it says %q", e.begin)
}

// speaksTLS reports whether the answer is an alert of TLS, to one who does not speak it.
func (e *foreignError) speaksTLS() bool {
	return len(e.begin) > 1 && e.begin[0] == 21 && e.begin[1] == 3
}

// A dialFunc connects to an address, as net.Dialer does.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer returns what connects to brokers: conf is for TLS, nil without. Until a broker
// has answered for the first time, a connection lasts no longer than patience; the client
// by itself would wait for ten seconds. Addresses that do not answer are remembered by m.
func dialer(conf *tls.Config, patience time.Duration, m *mutes) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := m.has(addr); err != nil {
			return nil, err
		}
		until := time.Now().Add(patience)
		within, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(within, network, addr)
		if err == nil && conf != nil {
			conn, err = shakeHands(within, conn, conf, addr)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			if within.Err() != nil {
				m.add(addr, err)
			}
			return nil, &peerError{addr, err}
		}
		return greet(conn, addr, until, m), nil
	}
}

// errNoTLS is what becomes of a handshake with who takes it for a request, and no good one.
var errNoTLS = errors.New("it hung up when TLS began")

// shakeHands returns conn with TLS, or closes it.
func shakeHands(ctx context.Context, conn net.Conn, conf *tls.Config, addr string) (net.Conn, error) {
	conf = conf.Clone()
	if host, _, err := net.SplitHostPort(addr); err == nil && conf.ServerName == "" {
		conf.ServerName = host
	}
	safe := tls.Client(conn, conf)
	if err := safe.HandshakeContext(ctx); err != nil {
		conn.Close() //nolint:errcheck // the error is that of the handshake
		if ctx.Err() == nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
			err = fmt.Errorf("%w: %w", errNoTLS, err)
		}
		return nil, err
	}
	return safe, nil
}

// largestGreeting bounds the first answer on a connection, the versions of requests that
// the broker knows: 600 bytes in Kafka 4.
const largestGreeting = 1 << 20

// A greeting is a connection on which nothing has been answered yet, and what it becomes.
type greeting struct {
	net.Conn
	addr string
	head []byte // of the first answer, not handed out yet
	met  bool   // there was one
	mute *mutes // told where there is none
}

// greet wraps conn until its first answer, which has to come before until.
func greet(conn net.Conn, addr string, until time.Time, m *mutes) *greeting {
	conn.SetReadDeadline(until) //nolint:errcheck // the read tells
	return &greeting{Conn: conn, addr: addr, mute: m}
}

// SetReadDeadline counts from the first answer on. Only the goroutine that reads calls it.
func (g *greeting) SetReadDeadline(t time.Time) error {
	if !g.met {
		return nil
	}
	return g.Conn.SetReadDeadline(t)
}

// Write writes. Whoever takes connections and ends them at once may do so before the first
// request is on its way.
func (g *greeting) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	if err != nil && !g.met {
		err = &peerError{g.addr, fmt.Errorf("%w: %w", errHungUp, err)}
	}
	return n, err
}

// Read reads; the first time, it looks at what comes.
func (g *greeting) Read(p []byte) (int, error) {
	if !g.met {
		if err := g.meet(); err != nil {
			return 0, err
		}
	}
	if len(g.head) > 0 {
		n := copy(p, g.head)
		g.head = g.head[n:]
		return n, nil
	}
	return g.Conn.Read(p)
}

// meet reads the first bytes: the size of the answer.
func (g *greeting) meet() error {
	head := make([]byte, 4)
	n, err := io.ReadFull(g.Conn, head)
	switch timeout := net.Error(nil); {
	case n > 0 && !plausible(head[:n]):
		return &peerError{g.addr, &foreignError{g.rest(head[:n])}}
	case err == nil:
		g.met, g.head = true, head
		return nil
	case errors.As(err, &timeout) && timeout.Timeout():
		err = fmt.Errorf("%w: %w", errMute, err)
		g.mute.add(g.addr, err)
		return &peerError{g.addr, err}
	default:
		return &peerError{g.addr, fmt.Errorf("%w: %w", errHungUp, err)}
	}
}

// plausible reports whether an answer to the first request may begin like this.
func plausible(head []byte) bool {
	return len(head) == 4 && binary.BigEndian.Uint32(head) <= largestGreeting
}

// rest returns head and what has come behind it, for a message.
func (g *greeting) rest(head []byte) []byte {
	more := make([]byte, 28)
	g.Conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) //nolint:errcheck // the read tells
	n, _ := g.Conn.Read(more)
	return append(head, more[:n]...)
}
