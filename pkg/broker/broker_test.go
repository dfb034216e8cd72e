package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/logctl/logctl/pkg/broker"
	"github.com/logctl/logctl/pkg/fault"
)

func start(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = ":0"
	}
	b, err := broker.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation(), kgo.RetryTimeout(30 * time.Second),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// produce writes values to the topic logs.
func produce(t *testing.T, cl *kgo.Client, values ...string) {
	t.Helper()
	for _, v := range values {
		rec := &kgo.Record{Topic: "logs", Value: []byte(v)}
		if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// readAll returns n values of the topic logs.
func readAll(t *testing.T, addr string, n int) []string {
	t.Helper()
	cl := client(t, addr, kgo.ConsumeTopics("logs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(values), n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestClosesWithNothingLeft(t *testing.T) {
	b := start(t, broker.Config{Brokers: 3})
	if len(b.Addrs()) != 3 {
		t.Errorf("Addrs() = %q, want three", b.Addrs())
	}
	produce(t, client(t, b.Addrs()[1]), "a")
	if b.Stored() == 0 {
		t.Error("Stored() = 0 after a record")
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(b.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if conn, err := net.Dial("tcp", b.Addrs()[0]); err == nil {
		conn.Close()
		t.Error("the broker still listens")
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b, err := broker.Start(ctx, broker.Config{Addr: ":0"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.Start(ctx, broker.Config{Addr: ":0"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start after the end of its context: %v", err)
	}
}

func TestRestartKeepsRecordsAndOffsets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	b := start(t, broker.Config{Data: dir, Partitions: 3})
	cl := client(t, b.Addrs()[0])
	produce(t, cl, "a", "b", "c")
	offsets := make(kadm.Offsets)
	offsets.AddOffset("logs", 0, 1, -1)
	if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), "group", offsets); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, broker.Config{Data: dir})
	if got := readAll(t, b.Addrs()[0], 3); len(got) != 3 {
		t.Errorf("read %q after a restart, want three records", got)
	}
	adm := kadm.NewClient(client(t, b.Addrs()[0]))
	got, err := adm.FetchOffsets(t.Context(), "group")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := got.Lookup("logs", 0); !ok || o.At != 1 {
		t.Errorf("committed offset after a restart is %+v, want 1", o)
	}
	topics, err := adm.ListTopics(t.Context(), "logs")
	if err != nil || len(topics["logs"].Partitions) != 3 {
		t.Errorf("topic has %d partitions (%v), want 3", len(topics["logs"].Partitions), err)
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	b := start(t, broker.Config{Data: dir})
	_, err := broker.Start(t.Context(), broker.Config{Addr: ":0", Data: dir})
	if err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Fatalf("a second owner: %v, want an error that names the process", err)
	}
	if fault.HintOf(err) == "" {
		t.Error("no hint")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, broker.Config{Data: dir})
}

func TestDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b := start(t, broker.Config{Data: dir, Users: []broker.User{{Name: "u", Password: "hush-hush"}}})
	check := func(when string) {
		t.Helper()
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v", when, info.Mode(), err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range files {
			if data, err := os.ReadFile(f); err == nil && strings.Contains(string(data), "hush-hush") {
				t.Errorf("%s: %s holds the password", when, f)
			}
		}
	}
	check("running")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed")
}

func TestForeignDirectoryIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(t.Context(), broker.Config{Addr: ":0", Data: dir})
	if err == nil || !strings.Contains(err.Error(), "thesis.txt") || fault.Status(err) != fault.Usage {
		t.Errorf("Start in a foreign directory: %v", err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
		t.Errorf("its mode became %v", info.Mode())
	}
}

func TestBadConfig(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		cfg  broker.Config
		want string
	}{
		"no port":    {broker.Config{Addr: "localhost"}, `"localhost" is not host:port`},
		"port":       {broker.Config{Addr: ":99999"}, `":99999"`},
		"last port":  {broker.Config{Addr: ":65535", Brokers: 2}, "65535"},
		"brokers":    {broker.Config{Brokers: -1}, "-1 is not between"},
		"partitions": {broker.Config{Partitions: -1}, "-1 is less"},
		"taken":      {broker.Config{Addr: taken.Addr().String()}, "address already in use"},
		"everyone":   {broker.Config{Addr: "0.0.0.0:0"}, `"0.0.0.0:0" for everyone without users`},
		"any host":   {broker.Config{Addr: "[::]:0"}, `"[::]:0" for everyone without users`},
		"data":       {broker.Config{Addr: ":0", Data: "/dev/null"}, `"/dev/null"`},
	} {
		b, err := broker.Start(t.Context(), c.cfg)
		if err == nil {
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestConsecutivePorts(t *testing.T) {
	b := start(t, broker.Config{})
	_, port, _ := net.SplitHostPort(b.Addrs()[0])
	first, _ := strconv.Atoi(port)
	first += 1000
	if first > 65000 {
		first -= 3000
	}
	c, err := broker.Start(t.Context(), broker.Config{Addr: fmt.Sprintf("localhost:%d", first), Brokers: 2})
	if err != nil {
		t.Skipf("ports %d and %d: %v", first, first+1, err)
	}
	defer c.Close()
	for i, addr := range c.Addrs() {
		if want := fmt.Sprintf("localhost:%d", first+i); addr != want {
			t.Errorf("node %d is told as %s, want %s", i, addr, want)
		}
	}
}

func TestRetentionAfterRestart(t *testing.T) {
	cfg := broker.Config{Data: t.TempDir(), Partitions: 1}
	b := start(t, cfg)
	cl := client(t, b.Addrs()[0], kgo.ProducerBatchCompression(kgo.NoCompression()))
	produce(t, cl, strings.Repeat("x", 5000), strings.Repeat("y", 5000), "last")
	limit := "1000"
	alter := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.bytes", Value: &limit}}
	if _, err := kadm.NewClient(cl).AlterTopicConfigs(t.Context(), alter, "logs"); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	cfg.UpkeepEvery(20 * time.Millisecond)
	b = start(t, cfg)
	adm := kadm.NewClient(client(t, b.Addrs()[0]))
	eventually(t, "the first offset to be 2", func() bool {
		starts, err := adm.ListStartOffsets(t.Context(), "logs")
		o, _ := starts.Lookup("logs", 0)
		return err == nil && o.Offset == 2
	})
	if got := readAll(t, b.Addrs()[0], 1); got[0] != "last" {
		t.Errorf("left is %q", got)
	}
}

// TestTopicNames refuses what Apache Kafka refuses, to clients that ask for a topic
// and to those that only mention it.
func TestTopicNames(t *testing.T) {
	b := start(t, broker.Config{})
	cl := client(t, b.Addrs()[0], kgo.AllowAutoTopicCreation())
	adm := kadm.NewClient(cl)
	for _, name := range []string{"a b", "..", "ä", strings.Repeat("x", 250)} {
		_, err := adm.CreateTopic(t.Context(), 1, 1, nil, name)
		if !errors.Is(err, kerr.InvalidTopicException) {
			t.Errorf("%q: %v", name, err)
		}
		_, _ = adm.ListOffsetsAfterMilli(t.Context(), 0, name)
	}
	if _, err := adm.CreateTopic(t.Context(), 1, 1, nil, "A.b_c-1"); err != nil {
		t.Error(err)
	}
	all, err := kadm.NewClient(client(t, b.Addrs()[0])).ListTopics(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("topics %v, %v", all.Names(), err)
	}
}

func TestMaxBytes(t *testing.T) {
	cfg := broker.Config{MaxBytes: 20_000, Partitions: 1}
	cfg.UpkeepEvery(20 * time.Millisecond)
	b := start(t, cfg)
	cl := client(t, b.Addrs()[0], kgo.ProducerBatchCompression(kgo.NoCompression()))
	rec := &kgo.Record{Topic: "logs", Value: make([]byte, 15_000)}
	var acked int
	var err error
	for ; acked < 10 && err == nil; acked++ {
		err = cl.ProduceSync(t.Context(), rec).FirstErr()
	}
	acked--
	if !errors.Is(err, kerr.PolicyViolation) || acked < 1 || acked > 2 {
		t.Fatalf("%d records of 15,000 bytes into 20,000: %v", acked, err)
	}
	if got := readAll(t, b.Addrs()[0], acked); len(got) != acked {
		t.Errorf("%d records readable, %d acknowledged", len(got), acked)
	}

	if _, err := kadm.NewClient(cl).DeleteTopics(t.Context(), "logs"); err != nil {
		t.Fatal(err)
	}
	other := client(t, b.Addrs()[0])
	eventually(t, "producers to be let in again", func() bool {
		return other.ProduceSync(t.Context(), &kgo.Record{Topic: "other", Value: []byte("v")}).FirstErr() == nil
	})
}

func TestUsers(t *testing.T) {
	b := start(t, broker.Config{Users: []broker.User{{Name: "ann", Password: "p:w"}}})
	ping := func(m sasl.Mechanism) error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return client(t, b.Addrs()[0], kgo.SASL(m)).Ping(ctx)
	}
	for name, m := range map[string]sasl.Mechanism{
		"PLAIN":         plain.Auth{User: "ann", Pass: "p:w"}.AsMechanism(),
		"SCRAM-SHA-256": scram.Auth{User: "ann", Pass: "p:w"}.AsSha256Mechanism(),
		"SCRAM-SHA-512": scram.Auth{User: "ann", Pass: "p:w"}.AsSha512Mechanism(),
	} {
		if err := ping(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]sasl.Mechanism{
		"wrong password":  plain.Auth{User: "ann", Pass: "pw"}.AsMechanism(),
		"kfake's default": scram.Auth{User: "admin", Pass: "admin"}.AsSha256Mechanism(),
	} {
		if err := ping(m); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
}

func TestTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil) // has a certificate for 127.0.0.1
	web.StartTLS()
	defer web.Close()
	b := start(t, broker.Config{TLS: &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}})
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	produce(t, client(t, b.Addrs()[0], kgo.DialTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})),
		"sealed")
}

func TestReadUsers(t *testing.T) {
	users, err := broker.ReadUsers(strings.NewReader("# who\nann:p:w \r\n\nbob:x"))
	if err != nil || fmt.Sprint(users) != "[{ann p:w } {bob x}]" {
		t.Errorf("ReadUsers = %q, %v", users, err)
	}
	for in, want := range map[string]string{
		"":            "there is none",
		"ann":         "line 1",
		"a:b\n:x":     "line 2",
		"a:b\nbob:":   "line 2",
		"a:b\n\na:cd": `line 3: "a" is there twice`,
	} {
		if _, err := broker.ReadUsers(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadUsers(%q): %v, want %q", in, err, want)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
