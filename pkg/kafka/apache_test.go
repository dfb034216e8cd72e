//go:build kafka

package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// The tests of this file run against a real Apache Kafka, which
// scripts/kafka/cluster.sh starts when the first test asks for it and TestMain
// stops:
//
//	go test -tags kafka -run Apache ./pkg/kafka
//
// TEST_KAFKA names the brokers of a running cluster for those tests that need
// nothing but a cluster.

const clusterScript = "../../scripts/kafka/cluster.sh"

// An apache is a cluster of our own, started once.
type apache struct {
	nodes int
	auth  string // "auth" for the listeners with SASL and TLS

	once  sync.Once
	dir   string
	addrs []string // of the listeners: plaintext, SASL_PLAINTEXT, SSL
	err   error
}

var (
	trio   = &apache{nodes: 3}
	secure = &apache{nodes: 1, auth: "auth"}
)

func TestMain(m *testing.M) {
	status := m.Run()
	for _, a := range []*apache{trio, secure} {
		if a.dir != "" {
			if err := a.run("stop", a.dir); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			_ = os.RemoveAll(a.dir) // of a test
		}
	}
	os.Exit(status)
}

// up starts the cluster, if no test has yet.
func (a *apache) up(t *testing.T) {
	t.Helper()
	a.once.Do(func() {
		begin := time.Now()
		a.dir, a.err = os.MkdirTemp("", "logctl-kafka-") //nolint:usetesting // it outlives the test
		if a.err != nil {
			return
		}
		var out []byte
		cmd := exec.Command(clusterScript, "start", strconv.Itoa(a.nodes), a.dir, a.auth)
		cmd.Stderr = os.Stderr
		out, a.err = cmd.Output()
		a.addrs = strings.Fields(string(out))
		t.Logf("%d nodes up in %v", a.nodes, time.Since(begin).Round(100*time.Millisecond))
	})
	if a.err != nil {
		t.Fatalf("starting Apache Kafka: %v", a.err)
	}
}

func (a *apache) run(args ...string) error {
	out, err := exec.Command(clusterScript, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cluster.sh %v: %w\n%s", args, err, out)
	}
	return nil
}

// running returns how to reach a cluster: the one that TEST_KAFKA names, or
// three nodes of our own.
func running(t *testing.T) kafka.Config {
	t.Helper()
	if brokers := os.Getenv("TEST_KAFKA"); brokers != "" {
		return kafka.Config{Brokers: strings.Split(brokers, ",")}
	}
	trio.up(t)
	return kafka.Config{Brokers: strings.Split(trio.addrs[0], ",")}
}

// topic creates a topic for a test and removes it at its end.
func topic(t *testing.T, cfg kafka.Config, partitions int) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-").Replace(t.Name()), time.Now().UnixNano())
	adm, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := adm.Remove(context.Background(), name); err != nil {
			t.Errorf("removing topic %q: %v", name, err)
		}
		adm.Close()
	})
	if _, err := adm.Create(t.Context(), kafka.TopicSpec{Name: name, Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestApacheIdentity: what is produced is what is consumed, bytes, keys,
// headers, times and order, for every codec and in transactions.
func TestApacheIdentity(t *testing.T) {
	cfg := running(t)
	for i, codec := range append([]string{"txn"}, kafka.Codecs...) {
		t.Run(codec, func(t *testing.T) {
			sc := kafka.SinkConfig{Config: cfg, Topic: topic(t, cfg, 1), Codec: codec, KeepTime: true}
			if codec == "txn" {
				sc.Codec, sc.Txn = "", t.Name()+strconv.FormatInt(time.Now().UnixNano(), 10)
			}
			want := writeRandom(t, openSink(t, sc), rand.New(rand.NewPCG(2, uint64(i))))
			src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{sc.Topic}, Stop: stop(t, "end")})
			got, _ := readAll(t, src)
			for i := range got[0] {
				got[0][i].Offset = 0 // transactions have markers between them
			}
			if diff := cmp.Diff(want, got[0]); diff != "" {
				t.Errorf("%d records written, %d read (-want +got):\n%.2000s", len(want), len(got[0]), diff)
			}
		})
	}
}

func writeRandom(t *testing.T, sink *kafka.Sink, rng *rand.Rand) []rec {
	t.Helper()
	pool := record.NewPool(3, 64<<10)
	var want []rec
	for range 20 {
		b, err := pool.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, randomBatch(rng, b, 1+rng.IntN(200))...)
		// Half an hour old: Apache Kafka removes what is older than retention.ms.
		for i := range b.Recs {
			b.Recs[i].Time = time.Now().Add(-30*time.Minute).Truncate(time.Millisecond).UnixNano() + int64(i)*1e6
			want[len(want)-len(b.Recs)+i].Stamp = b.Recs[i].Time
		}
		if err := sink.Write(b.All()); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return want
}

// TestApacheAuth: TLS, SASL PLAIN and SCRAM let the right ones in and no one
// else.
func TestApacheAuth(t *testing.T) {
	secure.up(t)
	sasl := func(mechanism, password string) kafka.Config {
		return kafka.Config{
			Brokers: []string{secure.addrs[1]},
			SASL:    kafka.SASL{Mechanism: mechanism, User: "ann", Password: password},
		}
	}
	encrypted := kafka.Config{
		Brokers: []string{secure.addrs[2]},
		TLS:     kafka.TLS{Enable: true, CA: filepath.Join(secure.dir, "ca.pem")},
	}
	stranger := encrypted
	stranger.TLS.CA = "" // the system does not know our CA
	for name, c := range map[string]struct {
		cfg  kafka.Config
		want string // of the error
	}{
		"TLS":                    {encrypted, ""},
		"TLS of a stranger":      {stranger, "certificate"},
		"PLAIN":                  {sasl("PLAIN", "secret"), ""},
		"PLAIN wrong":            {sasl("PLAIN", "guess"), "ann"},
		"SCRAM-SHA-256":          {sasl("SCRAM-SHA-256", "secret"), ""},
		"SCRAM-SHA-512":          {sasl("SCRAM-SHA-512", "secret"), ""},
		"SCRAM-SHA-512 wrong":    {sasl("SCRAM-SHA-512", "guess"), "ann"},
		"no user where one must": {kafka.Config{Brokers: []string{secure.addrs[1]}}, secure.addrs[1]},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want != "" {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if err := c.cfg.Ping(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("let in, or for another reason: %v, want %q", err, c.want)
				} else if strings.Contains(err.Error(), "guess") {
					t.Errorf("the error has the password: %v", err)
				}
				return
			}
			name := topic(t, c.cfg, 1)
			write(t, openSink(t, kafka.SinkConfig{Config: c.cfg, Topic: name}), "one", "two")
			got, _ := readAll(t, openSource(t, kafka.SourceConfig{
				Config: c.cfg, Topics: []string{name}, Stop: stop(t, "end"),
			}))
			if len(got[0]) != 2 {
				t.Errorf("%d records read, want 2", len(got[0]))
			}
		})
	}
}

// TestApacheShareRenews: leases are of 30 seconds there.
func TestApacheShareRenews(t *testing.T) {
	cfg := running(t)
	shareRenews(t, cfg, topic(t, cfg, 1), 40*time.Second)
}

// TestApacheNodesKilled: two of three nodes are killed in turn and started
// again while records are produced; every acknowledged record is there, once.
func TestApacheNodesKilled(t *testing.T) {
	if os.Getenv("TEST_KAFKA") != "" {
		t.Skip("the nodes of TEST_KAFKA are not ours to kill")
	}
	cfg := running(t)
	name := topic(t, cfg, 6)
	ctx, cancel := context.WithCancel(t.Context())
	var killed sync.WaitGroup
	killed.Go(func() {
		defer cancel()
		for _, node := range []string{"2", "3"} {
			time.Sleep(2 * time.Second)
			if err := trio.run("kill", trio.dir, node); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Second)
			if err := trio.run("restart", trio.dir, node); err != nil {
				t.Error(err)
			}
		}
	})
	sink := openSink(t, kafka.SinkConfig{
		Config: cfg, Topic: name, Partitioner: "round-robin", Timeout: time.Minute,
	})
	sent := 0
	for ctx.Err() == nil || sent == 0 {
		sent += writeNumbered(t, sink, sent, 1000)
	}
	killed.Wait()
	flush, done := context.WithTimeout(t.Context(), 2*time.Minute)
	defer done()
	if err := sink.Flush(flush); err != nil {
		t.Fatal(err)
	}
	if r := sink.Report(); r.Acked != int64(sent) || r.Failed != 0 {
		t.Fatalf("%d of %d acknowledged, %d failed", r.Acked, sent, r.Failed)
	}
	countOnce(t, cfg, name, sent)
}

// writeNumbered writes n records whose values count on from first.
func writeNumbered(t *testing.T, sink *kafka.Sink, first, n int) int {
	t.Helper()
	time.Sleep(10 * time.Millisecond) // a load of up to 100,000 a second
	b, err := record.NewPool(1, 64<<10).Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b.Add(strconv.AppendInt(nil, int64(first+i), 10))
	}
	if err := sink.Write(b.All()); err != nil {
		t.Fatalf("after %d records: %v", first, err)
	}
	b.Release()
	return n
}

// countOnce checks that the topic holds the numbers below n, each once.
func countOnce(t *testing.T, cfg kafka.Config, name string, n int) {
	t.Helper()
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{name}, Stop: stop(t, "end")})
	parts, _ := readAll(t, src)
	seen := make([]int, n)
	for _, records := range parts {
		for _, r := range records {
			i, err := strconv.Atoi(*r.Value)
			if err != nil || i >= n {
				t.Fatalf("record %q was never sent", *r.Value)
			}
			seen[i]++
		}
	}
	lost, twice := 0, 0
	for _, times := range seen {
		if times == 0 {
			lost++
		}
		if times > 1 {
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		t.Errorf("of %d records %d were lost and %d came twice", n, lost, twice)
	}
	t.Logf("%d records, 0 lost, 0 twice", n)
}
