package broker_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/broker"
	"github.com/logctl/logctl/pkg/proof"
)

// TestDiskAlmostFull: producers are refused in time, and may try again; what was
// acknowledged can be read.
func TestDiskAlmostFull(t *testing.T) {
	dir := t.TempDir()
	first := start(t, broker.Config{Data: dir})
	produce(t, client(t, first.Addrs()[0]), "before")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := broker.Config{Data: dir}
	cfg.Reserve(1 << 61)
	b := start(t, cfg)
	cl := client(t, b.Addrs()[0], kgo.RecordRetries(1), kgo.DisableIdempotentWrite(),
		kgo.MetadataMinAge(10*time.Millisecond))
	err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "logs", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.KafkaStorageError) || !kerr.IsRetriable(err) {
		t.Errorf("%v; want an error of the storage, after which it is tried again", err)
	}
	if got := readAll(t, b.Addrs()[0], 1); got[0] != "before" {
		t.Errorf("read %q", got)
	}
}

// TestDiskFull: a broker that cannot write acknowledges nothing more and has failed; when
// there is room again it has all that it acknowledged, offsets of groups included.
func TestDiskFull(t *testing.T) {
	if !proof.Alone(t) {
		return
	}
	dir := t.TempDir()
	b, err := broker.Start(context.Background(), broker.Config{Data: dir, Addr: ":0", Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	cl := client(t, b.Addrs()[0], kgo.ProducerBatchCompression(kgo.NoCompression()))
	room := noLargerFiles(t, 300_000)
	acked := 0
	for done := false; !done; {
		sent := make(chan error, 1)
		cl.Produce(t.Context(), &kgo.Record{Topic: "logs", Value: []byte(strings.Repeat("x", 40_000))},
			func(_ *kgo.Record, err error) { sent <- err })
		select {
		case err := <-sent:
			if err != nil {
				t.Fatalf("a client is told %v: the broker has failed, and answers nobody", err)
			}
			acked++
		case <-b.Failed():
			done = true
		}
	}
	if err := b.Close(); err == nil || !strings.Contains(err.Error(), "file too large") {
		t.Errorf("closing: %v", err)
	}
	room()
	if acked < 5 || acked > 7 {
		t.Errorf("%d records of 40 kB were acknowledged, of what there is room for 7", acked)
	}
	again := start(t, broker.Config{Data: dir})
	produce(t, client(t, again.Addrs()[0]), "after")
	got := readAll(t, again.Addrs()[0], acked+1)
	if len(got) != acked+1 || got[acked] != "after" {
		t.Errorf("%d records, %d were acknowledged", len(got), acked+1)
	}
}

// TestDataTakenAway: a broker whose directory was moved away acknowledges nothing more and
// has failed, even where another directory stands in its place.
func TestDataTakenAway(t *testing.T) {
	for name, replace := range map[string]bool{"removed": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			b, err := broker.Start(context.Background(), broker.Config{Data: dir, Addr: ":0"})
			if err != nil {
				t.Fatal(err)
			}
			cl := client(t, b.Addrs()[0])
			produce(t, cl, "kept")
			if err := os.Rename(dir, dir+".old"); err != nil {
				t.Fatal(err)
			}
			if replace {
				if err := os.CopyFS(dir, os.DirFS(dir+".old")); err != nil {
					t.Fatal(err)
				}
			}
			acked := make(chan error, 1)
			cl.Produce(t.Context(), &kgo.Record{Topic: "logs", Value: []byte("x")}, func(_ *kgo.Record, err error) { acked <- err })
			select {
			case <-b.Failed():
			case err := <-acked:
				t.Fatalf("a record was answered with %v, and nobody finds it again", err)
			}
			if err := b.Close(); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
				t.Errorf("closing: %v", err)
			}
		})
	}
}

// TestDataIsLookedFor: a broker that nobody writes to sees it, too.
func TestDataIsLookedFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cfg := broker.Config{Data: dir, Addr: ":0"}
	cfg.UpkeepEvery(time.Millisecond)
	b, err := broker.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	<-b.Failed()
	if err := b.Close(); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
		t.Errorf("closing: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it was made again by closing")
	}
}

// noLargerFiles has no file get larger than n bytes until room is called: as a full disk
// does, writes fail in the midst of what is written.
func noLargerFiles(t *testing.T, n uint64) (room func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: n, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	room = func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
	t.Cleanup(room)
	return room
}
