package kafka_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// listen serves each connection with f, and returns where.
func listen(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return l.Addr().String()
}

// behind returns the address of a proxy to a broker, which says that the broker is at
// another one.
func behind(t *testing.T, broker, says string) string {
	t.Helper()
	wire := func(addr string) []byte {
		at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		return binary.BigEndian.AppendUint32([]byte(at.IP.String()), uint32(at.Port))
	}
	from, to := wire(broker), wire(says)
	return listen(t, func(c net.Conn) {
		up, err := net.Dial("tcp", broker)
		if err != nil {
			return
		}
		defer up.Close()
		go io.Copy(up, c) // it ends with the connection
		buf := make([]byte, 1<<16)
		for {
			n, err := up.Read(buf)
			if err != nil {
				return
			}
			if _, err := c.Write(bytes.ReplaceAll(buf[:n], from, to)); err != nil {
				return
			}
		}
	})
}

// nobody is an address where nothing listens, and which no other test is given.
const nobody = "127.0.0.1:1"

// TestNotKafka: what answers, but not as a broker does, is shown.
func TestNotKafka(t *testing.T) {
	for _, c := range []struct{ answer, said, hint string }{
		{"HTTP/1.1 400 Bad Request\r\n\r\n", `does not speak Kafka: it says "HTTP/1.1 400`, "check the port"},
		{"SSH-2.0-OpenSSH_9.6\r\n", `it says "SSH-2.0-OpenSSH_9.6`, "check the port"},
		{"no", `it says "no"`, "check the port"},
		{"\x7f\xff\xff\xff", "does not speak Kafka", "check the port"},
		{"\x05\x00\x00\x00", "does not speak Kafka", "check the port"}, // 80 MiB, never sent
		{"\x15\x03\x03\x00\x02\x02\x46", "it speaks TLS on this port", "--tls"},
		{"", "closed the connection at the first request", "--tls"},
	} {
		addr := listen(t, func(conn net.Conn) {
			conn.Read(make([]byte, 4096))  // whatever was asked
			io.WriteString(conn, c.answer) // the client tells
		})
		err := kafka.Config{Brokers: []string{addr}}.Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), c.said) ||
			!strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("answer %q: %v, hint %q", c.answer, err, fault.HintOf(err))
		}
	}
	reset := listen(t, func(conn net.Conn) {
		conn.Read(make([]byte, 4096))
		conn.(*net.TCPConn).SetLinger(0)
	})
	err := kafka.Config{Brokers: []string{reset}}.Ping(t.Context())
	if err == nil || !strings.Contains(fault.HintOf(err), "--tls") {
		t.Errorf("reset: %v, hint %q", err, fault.HintOf(err))
	}
}

// TestNoTLS: who hangs up on TLS may not speak it.
func TestNoTLS(t *testing.T) {
	for _, hangUp := range []func(net.Conn){
		func(conn net.Conn) { conn.Read(make([]byte, 4096)) }, // the client tells
		func(conn net.Conn) { conn.Read(make([]byte, 1)) },    // what is unread resets the connection
	} {
		addr := listen(t, hangUp)
		err := kafka.Config{Brokers: []string{addr}, TLS: kafka.TLS{Enable: true}}.Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), "it hung up when TLS began") ||
			!strings.Contains(fault.HintOf(err), "leave --tls out") || !kafka.Unreachable(err) {
			t.Errorf("%v, hint %q", err, fault.HintOf(err))
		}
	}
}

// TestAddresses: an address that cannot be one is an error of usage.
func TestAddresses(t *testing.T) {
	for _, addr := range []string{"http://127.0.0.1:9092", "a:99999", "a:0", "a:", "a b:1", "::1:19092", "a:b", "u@h:1"} {
		if err := (kafka.Config{Brokers: []string{addr}}).Ping(t.Context()); fault.Status(err) != fault.Usage ||
			!strings.Contains(err.Error(), addr) {
			t.Errorf("%q: %v", addr, err)
		}
	}
	for _, addr := range []string{"a", "a:1", "::1", "[::1]", "[fe80::1%eth0]:9092", ":9092"} {
		if _, err := (kafka.Config{Brokers: []string{addr}}).Options(); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// TestAdvertised: where a cluster answers and names a broker that does not, both addresses
// are said.
func TestAdvertised(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"), kfake.NumBrokers(1))
	door := behind(t, cfg.Brokers[0], nobody)
	cfg.Brokers = []string{door}
	check := func(said string) {
		t.Helper()
		for _, want := range []string{door, nobody, "refused"} {
			if !strings.Contains(said, want) || strings.Contains(said, "shard errors") {
				t.Errorf("%q, want %q in it", said, want)
			}
		}
	}
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	_, err = admin.Topics(t.Context(), false)
	if err == nil || !strings.Contains(fault.HintOf(err), "advertised.listeners") || !kafka.Unreachable(err) {
		t.Fatalf("%v, hint %q", err, fault.HintOf(err))
	}
	check(err.Error())
	notes := make(chan string, 1)
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Note: func(s string) { notes <- s }})
	ctx, cancel := context.WithCancel(t.Context())
	read := make(chan struct{})
	go func() {
		src.Read(ctx, record.NewBatch()) // nothing comes
		close(read)
	}()
	check(<-notes)
	cancel()
	<-read
}

// TestMute: an address that takes connections and does not answer is said to be like
// that, and waited for no longer than the one who asks does.
func TestMute(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 16)
	mute := listen(t, func(c net.Conn) {
		asked <- struct{}{}
		io.Copy(io.Discard, c) // until it is closed
	})
	err := kafka.Config{Brokers: []string{mute}, DialTimeout: 20 * time.Millisecond}.Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not answer") || !kafka.Unreachable(err) {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	for len(asked) > 0 {
		<-asked
	}
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"), kfake.NumBrokers(1))
	cfg.Brokers, cfg.DialTimeout = []string{behind(t, cfg.Brokers[0], mute)}, time.Hour
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-asked
		cancel()
	}()
	began := time.Now()
	_, err = admin.Topics(ctx, false)
	if d := time.Since(began); err == nil || d > 8*time.Second { // the client by itself waits for 10
		t.Errorf("after %v: %v", d, err)
	}
}

// TestMuteIsAskedOnce: a few questions ask an address that does not answer once, where it is
// the only one that the cluster names, and say so each time.
func TestMuteIsAskedOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	mute := listen(t, func(c net.Conn) {
		asked.Add(1)
		io.Copy(io.Discard, c) // until it is closed
	})
	cfg, _ := cluster(t, kfake.SeedTopics(6, "t"))
	cfg.Brokers, cfg.DialTimeout = []string{behind(t, cfg.Brokers[0], mute)}, 500*time.Millisecond
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for range 5 {
		_, err := admin.Topics(t.Context(), false)
		if err == nil || !strings.Contains(err.Error(), mute) || !strings.Contains(err.Error(), "does not answer") ||
			!strings.Contains(fault.HintOf(err), "advertised.listeners") || !kafka.Unreachable(err) {
			t.Errorf("%v, hint %q", err, fault.HintOf(err))
		}
	}
	if n := asked.Load(); n > 3 { // by the first question, and by the client for itself
		t.Errorf("the mute address was asked %d times", n)
	}
}
