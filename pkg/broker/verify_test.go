package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/broker"
	"github.com/logctl/logctl/pkg/proof"
)

// written makes a directory with records, an aborted transaction and offsets of a group,
// and one of the same as a kill -9 leaves it.
func written(t *testing.T) (stopped, killed string) {
	t.Helper()
	stopped, killed = t.TempDir(), t.TempDir()
	b := start(t, broker.Config{Data: stopped, Partitions: 1})
	cl := client(t, b.Addrs()[0], kgo.ProducerBatchCompression(kgo.NoCompression()))
	for i := range 5 {
		produce(t, cl, fmt.Sprint("value ", i))
	}
	txn := client(t, b.Addrs()[0], kgo.TransactionalID("tx"))
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := txn.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, txn, fmt.Sprint("commit is ", end))
		if err := txn.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(3) {
		var at kadm.Offsets
		at.AddOffset("logs", 0, i, -1)
		if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), "g", at); err != nil {
			t.Fatal(err)
		}
	}
	copyDir(t, stopped, killed)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return stopped, killed
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// holds returns the committed records and the group's offset that a broker serves from a
// directory, or why it does not start.
func holds(t *testing.T, dir string) (string, error) {
	t.Helper()
	b, err := broker.Start(context.Background(), broker.Config{Data: dir, Addr: ":0", Partitions: 1})
	if err != nil {
		return "", err
	}
	defer b.Close()
	at, err := kadm.NewClient(client(t, b.Addrs()[0])).FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	o, _ := at.Lookup("logs", 0)
	cl := client(t, b.Addrs()[0], kgo.ConsumeTopics("logs"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var values []string
	for !slices.Contains(values, fmt.Sprint("commit is ", kgo.TryCommit)) {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Sprint(values, err), nil
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return fmt.Sprint(values, o.At), nil
}

// TestChangedBytes: wherever a byte has changed, or a file was cut, in what a broker has
// left, the next one serves the same or refuses, naming a file. After a kill -9 that is
// known of what has checksums: of records, indexes, offsets and transactions.
func TestChangedBytes(t *testing.T) {
	t.Parallel()
	stopped, killed := written(t)
	want, err := holds(t, clone(t, stopped))
	if err != nil || !strings.HasSuffix(want, fmt.Sprintf("commit is %v] 2", kgo.TryCommit)) {
		t.Fatalf("%s, %v", want, err)
	}
	for _, dir := range []string{stopped, killed} {
		for _, name := range filesOf(t, dir, dir == killed) {
			damaged := clone(t, dir)
			how := damage(t, filepath.Join(damaged, name), dir == stopped && rand.IntN(4) == 0)
			got, err := holds(t, damaged)
			if err == nil && got != want || err != nil && !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("%s (killed: %v): %s: got %s, %v", name, dir == killed, how, got, err)
			}
		}
	}
}

// TestEachChangedByte: no byte of what a kill -9 has left can change without notice, an
// index is as good as it was, and what was cut in the midst of its last frame is torn.
func TestEachChangedByte(t *testing.T) {
	t.Parallel()
	_, dir := written(t)
	for _, name := range filesOf(t, dir, true) {
		path := filepath.Join(dir, name)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put := func(data []byte) error {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			return broker.Verify(dir)
		}
		index := filepath.Ext(name) == ".idx"
		for at := 0; at < len(was); at += 1 + len(was)/proof.Some(100) {
			changed := bytes.Clone(was)
			bit := byte(1) << rand.IntN(8)
			changed[at] ^= bit
			if err := put(changed); index != (err == nil) {
				t.Errorf("%s changed by %#x at %d of %d: %v", name, bit, at, len(was), err)
			}
			if now, _ := os.ReadFile(path); index && len(now) != len(was) {
				t.Errorf("%s changed at %d of %d has %d bytes", name, at, len(was), len(now))
			}
		}
		if err := put(was[:len(was)-1]); err != nil {
			t.Errorf("%s without its last byte: %v", name, err)
		}
		if err := put(was); err != nil {
			t.Errorf("%s as it was: %v", name, err)
		}
	}
}

func clone(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	copyDir(t, dir, to)
	return to
}

// filesOf returns the files of a directory, or those that have checksums.
func filesOf(t *testing.T, dir string, checked bool) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		ends := []string{".dat", ".idx", ".log"}
		if err == nil && e.Type().IsRegular() && e.Name() != ".lock" && e.Name() != ".seal" &&
			(!checked || slices.Contains(ends, filepath.Ext(path))) {
			if info, err := e.Info(); err == nil && info.Size() > 0 {
				names = append(names, path)
			}
		}
		return err
	})
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	return names
}

// damage flips a bit of a file, or cuts it, and says so.
func damage(t *testing.T, path string, cut bool) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := rand.IntN(len(data))
	how := fmt.Sprintf("cut at %d of %d", at, len(data))
	if cut {
		data = data[:at]
	} else {
		bit := byte(1) << rand.IntN(8)
		how = fmt.Sprintf("changed by %#x at %d of %d", bit, at, len(data))
		data[at] ^= bit
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return how
}
