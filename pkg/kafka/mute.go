package kafka

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Mutes remember addresses that did not answer in time. Where it is all those that a
// cluster names, as when its advertised.listeners are wrong, who has a few questions does
// not wait for them again, which the client would for every request, and twice. The zero
// value remembers none.
type mutes struct {
	mu     sync.Mutex
	client *kgo.Client
	cfg    Config
	found  map[string]mute
}

// A mute is an address that did not answer.
type mute struct {
	why   error
	until time.Time // that it is believed
}

// of says whose cluster it is, and how it was reached.
func (m *mutes) of(client *kgo.Client, cfg Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.client, m.cfg = client, cfg
}

// add remembers why an address did not answer. nil remembers nothing.
func (m *mutes) add(addr string, why error) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil {
		m.found = map[string]mute{}
	}
	m.found[addr] = mute{why, time.Now().Add(askWithin)}
}

// has returns the error for an address that did not answer a moment ago, and is not to be
// tried; nil for others.
func (m *mutes) has(addr string) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	one, ok := m.found[addr]
	if !ok || m.client == nil {
		return nil
	}
	for other, o := range m.found {
		if m.cfg.names(other) || time.Now().After(o.until) {
			delete(m.found, other)
		}
	}
	if len(m.found) < max(len(m.client.DiscoveredBrokers()), 1) {
		return nil
	}
	return &peerError{addr, &barred{one.why}}
}

// A barred error is that of an address which is not tried: what was wrong with it before.
// To the client it is a connection that is not allowed, which it does not try again.
type barred struct{ why error }

// Error says what was wrong.
func (b *barred) Error() string { return b.why.Error() }

// Unwrap returns what the client goes by.
func (b *barred) Unwrap() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EACCES)}
}
