package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLink: an outage ends when a broker of the cluster answers, not when an address of
// the command line does, which may only name brokers that do not.
func TestLink(t *testing.T) {
	var l link
	seed, named := kgo.BrokerMetadata{NodeID: -1}, kgo.BrokerMetadata{NodeID: 3}
	refused := &peerError{"kafka-3:9092", errors.New("refused")}
	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		l.OnBrokerConnect(named, 0, nil, err)
	}
	if _, err := l.down(); err != nil {
		t.Errorf("a request that was given up is an outage: %v", err)
	}
	l.OnBrokerConnect(named, 0, nil, refused)
	l.OnBrokerRead(seed, 0, 0, 0, 0, nil)
	if _, err := l.down(); !errors.Is(err, refused) {
		t.Errorf("down because of %v", err)
	}
	if err := l.news(time.Hour); err != nil {
		t.Errorf("too early: %v", err)
	}
	l.silent[3].since = l.silent[3].since.Add(-2 * time.Hour)
	if err := l.news(time.Hour); !errors.Is(err, refused) {
		t.Errorf("news: %v", err)
	}
	if err := l.news(time.Hour); err != nil {
		t.Errorf("said twice: %v", err)
	}
	l.OnBrokerRead(named, 0, 0, 0, 0, nil)
	if _, err := l.down(); err != nil || len(l.silent) > 0 {
		t.Errorf("up again, but %v", err)
	}
}

// TestExplainShards: a question to many brokers is a matter of the client.
func TestExplainShards(t *testing.T) {
	err := &kadm.ShardErrors{Name: "ListOffsets", Errs: []kadm.ShardError{{Err: kerr.NotLeaderForPartition}}}
	said := Config{}.explain(err, "t")
	if strings.Contains(said.Error(), "shard errors") || !errors.Is(said, kerr.NotLeaderForPartition) {
		t.Errorf("%v", said)
	}
}
