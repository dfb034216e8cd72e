package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A link remembers which brokers do not answer, and since when. It is a hook of a client
// and safe for concurrent use.
type link struct {
	mu     sync.Mutex
	since  time.Time // when the first attempt failed; zero while a broker of the cluster answers
	err    error
	silent map[int32]*outage // of each broker that failed when it was last tried
}

// An outage is that of one broker.
type outage struct {
	since, last time.Time // attempts that failed
	err         error
	said        bool
}

// OnBrokerConnect notes that a broker could not be reached, or has not answered the first
// request.
func (l *link) OnBrokerConnect(to kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil || givenUp(err) {
		return // OnBrokerRead hears of the answer
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.since.IsZero() {
		l.since = now
	}
	l.err = err
	if l.silent == nil {
		l.silent = map[int32]*outage{}
	}
	if l.silent[to.NodeID] == nil {
		l.silent[to.NodeID] = &outage{since: now}
	}
	l.silent[to.NodeID].last, l.silent[to.NodeID].err = now, err
}

// givenUp reports whether an attempt ended with the request that it was made for: that
// says nothing of the broker.
func givenUp(err error) bool {
	return !errors.As(err, new(*peerError)) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// OnBrokerRead notes that a broker has answered. One that is only known by its address,
// from the command line, has a number below 0: that it answers and names the brokers of the
// cluster does not mean that those can be reached.
func (l *link) OnBrokerRead(from kgo.BrokerMetadata, _ int16, _ int, _, _ time.Duration, err error) {
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.silent, from.NodeID)
	if from.NodeID >= 0 {
		l.since, l.err = time.Time{}, nil
	}
}

// down returns for how long no broker of the cluster has answered, and why.
func (l *link) down() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		return 0, nil
	}
	return time.Since(l.since), l.err
}

// news returns why a broker that is still being tried has not answered for longer than
// patience, once an outage; nil where there is none.
func (l *link) news(patience time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for id, o := range l.silent {
		if id >= 0 && !o.said && now.Sub(o.since) > patience && now.Sub(o.last) < patience {
			o.said = true
			return o.err
		}
	}
	return nil
}
