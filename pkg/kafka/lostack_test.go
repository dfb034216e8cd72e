package kafka_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
)

// lossy is a listener whose connections break instead of carrying the next
// answer, when they are told to.
type lossy struct {
	net.Listener
	lose *atomic.Bool
	lost *atomic.Int32
}

func (l lossy) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return lossyConn{c, l}, err
}

type lossyConn struct {
	net.Conn
	of lossy
}

func (c lossyConn) Write(p []byte) (int, error) {
	if c.of.lose.CompareAndSwap(true, false) {
		c.of.lost.Add(1)
		return 0, errors.Join(errors.New("lost on the way"), c.Close())
	}
	return c.Conn.Write(p)
}

// lossyCluster has a topic t of one partition.
func lossyCluster(t *testing.T, lose *atomic.Bool, lost *atomic.Int32) (kafka.Config, *kfake.Cluster) {
	t.Helper()
	return cluster(t, kfake.SeedTopics(1, "t"), kfake.ListenFn(func(network, addr string) (net.Listener, error) {
		l, err := net.Listen(network, addr)
		return lossy{l, lose, lost}, err
	}))
}

// TestLostAcknowledgement: the broker has stored a batch, and its answer is lost.
// The batch is sent again, and is there once.
func TestLostAcknowledgement(t *testing.T) {
	t.Parallel()
	var lose atomic.Bool
	var lost atomic.Int32
	cfg, c := lossyCluster(t, &lose, &lost)
	n := 0
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if n++; n%2 == 1 { // every other answer, the first included
			lose.Store(true)
		}
		return nil, nil, false
	})
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	var want []string
	for i := range 6 {
		lines := []string{fmt.Sprint("first of ", i), fmt.Sprint("second of ", i)}
		if err := writeTo(t.Context(), sink, lines...); err != nil {
			t.Fatal(err)
		}
		want = append(want, lines...)
	}
	if lost.Load() < 3 {
		t.Fatalf("%d answers were lost", lost.Load())
	}
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end")})
	got, _ := readAll(t, src)
	if all := values(got[0]); all != strings.Join(want, " ") {
		t.Errorf("with %d lost answers the topic holds %q", lost.Load(), all)
	}
}

// TestNodeThatDies: a node that hangs up at the first request of a connection is one
// that dies, once another connection has shown that the settings are right.
func TestNodeThatDies(t *testing.T) {
	var lose atomic.Bool
	var lost atomic.Int32
	cfg, c := lossyCluster(t, &lose, &lost)
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	c.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		lose.Store(lost.Load() < 3)
		return nil, nil, false
	})
	if err := writeTo(t.Context(), sink, "one", "two"); err != nil {
		t.Error(err)
	}
	if lost.Load() < 3 {
		t.Errorf("%d first answers were lost", lost.Load())
	}
}
