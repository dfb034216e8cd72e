package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

var (
	_ stream.Keeper    = (*store.Checkpoint)(nil)
	_ stream.Pusher    = (*store.Checkpoint)(nil)
	_ stream.Refresher = (*store.Checkpoint)(nil)
)

// A memory is an output without a file.
type memory struct {
	text string
	cut  int64
	err  error
}

func (m *memory) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		m.text += string(rows.Value(i)) + "\n"
	}
	return nil
}
func (m *memory) Flush(context.Context) error { return m.err }
func (m *memory) Mark() (int64, uint64, error) {
	return int64(len(m.text)), uint64(len(m.text)) * 7, nil
}

func (m *memory) CutBack(n int64, c uint64) error {
	if n > int64(len(m.text)) || c != uint64(n)*7 {
		return errors.New("shorter")
	}
	m.text, m.cut = m.text[:n], n
	return nil
}

func openCheckpoint(t testing.TB, path string, opt store.CheckpointOptions) *store.Checkpoint {
	t.Helper()
	k, err := store.OpenCheckpoint(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() }) // again, where the test has done it
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entries(pairs ...string) (e stream.Entries) {
	for i := 0; i < len(pairs); i += 2 {
		value := []byte(pairs[i+1])
		if pairs[i+1] == "-" {
			value = nil
		}
		e.Append([]byte(pairs[i]), value)
	}
	return e
}

func load(t testing.TB, v stream.Vault, task stream.Task) map[string]string {
	t.Helper()
	got := map[string]string{}
	must(t, v.Load(t.Context(), task, func(key, value []byte) error {
		if _, ok := got[string(key)]; ok {
			t.Errorf("%q comes twice", key)
		}
		got[string(key)] = string(value)
		return nil
	}))
	return got
}

func TestCheckpointGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.ckpt")
	out, late := &memory{text: "older\n"}, &memory{}
	at := []stream.Position{{Source: "a.log", Partition: 7, Next: 100}, {Source: "stdin", Next: 5}}

	k := openCheckpoint(t, path, store.CheckpointOptions{Signature: "count by x"})
	must(t, k.Attach(t.Context(), out, map[string]store.Output{"out": out, "late": late}))
	load(t, k, stream.Task{})
	must(t, k.Save(stream.Task{}, entries("a", "1", "b", "2", "c", ""), true))
	must(t, k.Save(stream.Task{}, entries("a", "3", "b", "-"), false))
	must(t, k.Write(batch(0, "row 1").All()))
	k.Keep(at)
	must(t, k.Flush(t.Context()))
	// What comes behind the last Flush is undone.
	must(t, k.Write(batch(0, "row 2").All()))
	late.text = "late\n"
	must(t, k.Save(stream.Task{}, entries("a", "4"), false))
	k.Keep([]stream.Position{{Source: "stdin", Next: 9}})
	must(t, k.Close())

	k = openCheckpoint(t, path, store.CheckpointOptions{Signature: "count by x"})
	must(t, k.Attach(t.Context(), out, map[string]store.Output{"out": out, "late": late}))
	if out.text != "older\nrow 1\n" || late.text != "" {
		t.Errorf("the outputs are cut back to %q and %q", out.text, late.text)
	}
	if d := cmp.Diff(map[string]string{"a": "3", "c": ""}, load(t, k, stream.Task{})); d != "" {
		t.Errorf("state: -want +got\n%s", d)
	}
	got, err := k.Positions(t.Context())
	if d := cmp.Diff(at, got); d != "" || err != nil {
		t.Errorf("positions: -want +got\n%s%v", d, err)
	}
	must(t, k.Forget(t.Context(), at[:1]))
	if got, err := k.Positions(t.Context()); len(got) != 1 || err != nil {
		t.Errorf("after one was forgotten: %v %v", got, err)
	}
}

func TestCheckpointRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.ckpt")
	out := &memory{}
	k := openCheckpoint(t, path, store.CheckpointOptions{Signature: "count"})
	must(t, k.Attach(t.Context(), out, map[string]store.Output{"out": out}))
	must(t, k.Write(batch(0, "row").All()))
	must(t, k.Flush(t.Context()))
	open := func(path string, opt store.CheckpointOptions) error {
		k, err := store.OpenCheckpoint(t.Context(), path, opt)
		if err == nil {
			must(t, k.Close())
		}
		return err
	}
	want := func(name string, err error, text, hint string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%s: %v, hint %q; want %q, %q", name, err, fault.HintOf(err), text, hint)
		}
	}
	want("two owners", open(path, store.CheckpointOptions{Signature: "count"}), "another run has it", "wait")
	want("reset of another's", open(path, store.CheckpointOptions{Reset: true}), "another run has it", "wait")
	must(t, k.Close())
	want("other operator", open(path, store.CheckpointOptions{Signature: "sum"}), "kept  count\n  now   sum", "--reset")
	db, text := filepath.Join(dir, "db"), filepath.Join(dir, "text")
	writeAll(t, openSink(t, db, store.SinkOptions{}), batch(0, `{"a":1}`))
	must(t, os.WriteFile(text, []byte(strings.Repeat("text\n", 1000)), 0o600))
	want("a table", open(db, store.CheckpointOptions{}), "another database", "another file")
	want("a text", open(text, store.CheckpointOptions{}), "not a database", "--reset")
	want("no directory", open(filepath.Join(dir, "none", "c"), store.CheckpointOptions{}), "no such file", "")

	attach := func(name string, m *memory) error {
		k := openCheckpoint(t, path, store.CheckpointOptions{Signature: "count"})
		defer k.Close()
		return k.Attach(t.Context(), m, map[string]store.Output{name: m})
	}
	want("shorter", attach("out", &memory{text: "r"}), "shorter", "--reset")
	want("other output", attach("new", out), `"out"`, "--reset")
	must(t, open(path, store.CheckpointOptions{Signature: "sum", Reset: true}))
	must(t, open(text, store.CheckpointOptions{Reset: true}))
	k = openCheckpoint(t, path, store.CheckpointOptions{Signature: "sum"})
	if got := load(t, k, stream.Task{}); len(got) != 0 {
		t.Errorf("after --reset there is %v", got)
	}
}

// A flush that fails commits nothing of the checkpoint.
func TestCheckpointWaitsForItsOutputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	out := &memory{}
	k := openCheckpoint(t, path, store.CheckpointOptions{})
	must(t, k.Attach(t.Context(), out, map[string]store.Output{"out": out}))
	k.Keep([]stream.Position{{Source: "a", Next: 1}})
	out.err = errors.New("disk full")
	if err := k.Flush(t.Context()); !errors.Is(err, out.err) {
		t.Errorf("got %v", err)
	}
	must(t, k.Close())
	k = openCheckpoint(t, path, store.CheckpointOptions{})
	if at, err := k.Positions(t.Context()); len(at) != 0 || err != nil {
		t.Errorf("positions %v, %v", at, err)
	}
}

// Whatever is saved, what is loaded is what a map holds, and the log stays
// within twice the size of what is in it.
func TestStateIsThatOfAMap(t *testing.T) {
	for seed := range uint64(proof.Some(10)) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "c")
		want := map[stream.Task]map[string]string{{}: {}, {Source: "t", Partition: 3}: {}}
		k := openCheckpoint(t, path, store.CheckpointOptions{})
		for range 40 {
			for task, m := range want {
				if rnd.IntN(4) == 0 {
					must(t, k.Close())
					k = openCheckpoint(t, path, store.CheckpointOptions{})
				}
				if d := cmp.Diff(m, load(t, k, task)); d != "" {
					t.Fatalf("seed %d: -want +got\n%s", seed, d)
				}
				var e stream.Entries
				all := k.Stale(task) || rnd.IntN(10) == 0
				change(rnd, m, &e)
				if all {
					e = nil
					for key, value := range m {
						e.Append([]byte(key), []byte(value))
					}
				}
				must(t, k.Save(task, e, all))
				must(t, k.Attach(t.Context(), nil, nil)) // Flush would do as well
				must(t, k.Flush(t.Context()))
			}
		}
	}
}

func change(rnd *rand.Rand, m map[string]string, e *stream.Entries) {
	for range rnd.IntN(20) {
		key := fmt.Sprint(rnd.IntN(50))
		if rnd.IntN(3) == 0 {
			delete(m, key)
			e.Append([]byte(key), nil)
			continue
		}
		m[key] = strings.Repeat("x", rnd.IntN(100))
		e.Append([]byte(key), []byte(m[key]))
	}
}

func TestLogIsReplacedWhenItHasGrown(t *testing.T) {
	k := openCheckpoint(t, filepath.Join(t.TempDir(), "c"), store.CheckpointOptions{})
	load(t, k, stream.Task{})
	chunk := entries("key", strings.Repeat("x", 100<<10))
	n := 0
	for ; !k.Stale(stream.Task{}); n++ {
		must(t, k.Save(stream.Task{}, chunk, false))
	}
	if n < 10 || n > 12 {
		t.Errorf("stale after %d chunks of 100 KiB, want just over 1 MiB", n)
	}
	must(t, k.Save(stream.Task{}, chunk, true))
	if k.Stale(stream.Task{}) {
		t.Error("still stale")
	}
}

// From every prefix of the files that a killed run leaves behind, what is read is
// a state that was committed, or an error: never anything else.
func TestRecoveryFromEveryPrefix(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	k := openCheckpoint(t, path, store.CheckpointOptions{})
	load(t, k, stream.Task{})
	const commits = 6
	for i := range commits {
		must(t, k.Save(stream.Task{}, entries("n", fmt.Sprint(i), "text", strings.Repeat("y", 3000)), i%3 == 0))
		k.Keep([]stream.Position{{Source: "a", Next: int64(i)}})
		must(t, k.Flush(t.Context()))
	}
	files := map[string][]byte{}
	for _, name := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + name)
		must(t, err)
		files[name] = data
	}
	must(t, k.Close())
	whole, err := os.ReadFile(path) // the log is in it now
	must(t, err)

	seen := map[string]int{}
	try := func(db, wal []byte) string {
		at := filepath.Join(t.TempDir(), "c")
		must(t, os.WriteFile(at, db, 0o600))
		if wal != nil {
			must(t, os.WriteFile(at+"-wal", wal, 0o600))
		}
		got := recovered(t, at)
		seen[got]++
		return got
	}
	step := 499
	if proof.Racing {
		step = 1999 // two or three in each commit
	}
	for n := 0; n <= len(files["-wal"]); n += step {
		try(files[""], files["-wal"][:n])
	}
	for n := step; n < len(whole); n += step {
		if got := try(whole[:n], nil); got == "none" {
			t.Errorf("%d bytes of the database pass for a new one", n)
		}
	}
	try(files[""], files["-wal"])
	try(whole, nil)
	t.Log(seen)
	for i := range commits {
		if seen[fmt.Sprint(i)] == 0 {
			t.Errorf("commit %d was never recovered", i)
		}
	}
}

// TestCheckpointIsWhatWasWritten: whichever bit of the file of a checkpoint is another
// one, it is refused, or holds what it held.
func TestCheckpointIsWhatWasWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	opt := store.CheckpointOptions{Signature: "count by x"}
	task := stream.Task{}
	out := &memory{text: "some rows\n"}
	k := openCheckpoint(t, path, opt)
	must(t, k.Attach(t.Context(), out, map[string]store.Output{"out": out}))
	load(t, k, task)
	for i := range 3 {
		must(t, k.Save(task, entries("n", fmt.Sprint(i)), i == 0))
		k.Keep([]stream.Position{{Source: "a.log", Partition: 77, Next: int64(1000 + i)}, {Source: "b.log", Partition: 5, Next: 9}})
		must(t, k.Flush(t.Context()))
	}
	must(t, k.Forget(t.Context(), []stream.Position{{Source: "b.log", Partition: 5}}))
	must(t, k.Close())
	holds := func(path string) (string, error) {
		k, err := store.OpenCheckpoint(t.Context(), path, opt)
		if err != nil {
			return "", err
		}
		defer k.Close()
		out := &memory{text: "some rows\nand more"}
		at, err := k.Positions(t.Context())
		got := fmt.Sprint(at)
		if err == nil {
			err = k.Attach(t.Context(), out, map[string]store.Output{"out": out})
		}
		if err == nil {
			err = k.Load(t.Context(), task, func(key, value []byte) error {
				got += fmt.Sprintf(" %s=%s", key, value)
				return nil
			})
		}
		return got + out.text, err
	}
	text, err := os.ReadFile(path)
	must(t, err)
	want, err := holds(path)
	must(t, err)
	refused, rnd := 0, rand.New(rand.NewPCG(1, 2))
	at := filepath.Join(dir, "changed")
	for i := range text {
		if text[i] == 0 || rnd.IntN(2000) > proof.Some(400) { // most of it is not used
			continue
		}
		changed := slices.Clone(text)
		changed[i] ^= 1 << rnd.IntN(8)
		for _, end := range []string{"-wal", "-shm"} {
			_ = os.Remove(at + end)
		}
		must(t, os.WriteFile(at, changed, 0o600))
		switch got, err := holds(at); {
		case err != nil && fault.HintOf(err) == "":
			t.Errorf("byte %d: %v, without a hint", i, err)
		case err != nil:
			refused++
		case got != want:
			t.Errorf("byte %d was changed from %#x to %#x: it holds %q, and not %q", i, text[i], changed[i], got, want)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	t.Log(refused)
}

// recovered returns which commit a checkpoint holds, "none" or "error".
func recovered(t *testing.T, path string) string {
	t.Helper()
	k, err := store.OpenCheckpoint(t.Context(), path, store.CheckpointOptions{})
	if err != nil {
		return "error"
	}
	defer k.Close()
	got := map[string]string{}
	err = k.Load(t.Context(), stream.Task{}, func(key, value []byte) error {
		got[string(key)] = string(value)
		return nil
	})
	at, err2 := k.Positions(t.Context())
	switch {
	case err != nil || err2 != nil:
		return "error"
	case len(got) == 0 && len(at) == 0:
		return "none"
	case len(at) != 1 || fmt.Sprint(at[0].Next) != got["n"] || len(got["text"]) != 3000:
		t.Errorf("recovered positions %v with state %q", at, got)
	}
	return got["n"]
}

// BenchmarkCheckpoint is a commit with few changes beside a large state.
func BenchmarkCheckpoint(b *testing.B) {
	k := openCheckpoint(b, filepath.Join(b.TempDir(), "c"), store.CheckpointOptions{})
	load(b, k, stream.Task{})
	must(b, k.Save(stream.Task{}, many(1_000_000), true))
	must(b, k.Flush(b.Context()))
	few, n := many(100), int64(0)
	var worst time.Duration
	for b.Loop() {
		n++
		begin := time.Now()
		must(b, k.Save(stream.Task{}, few, k.Stale(stream.Task{})))
		k.Keep([]stream.Position{{Source: "a", Next: n}})
		must(b, k.Flush(b.Context()))
		worst = max(worst, time.Since(begin))
	}
	b.ReportMetric(float64(worst.Microseconds())/1e3, "worst-ms")
}

// BenchmarkCheckpointMillion saves and loads a million entries.
func BenchmarkCheckpointMillion(b *testing.B) {
	all := many(1_000_000)
	k := openCheckpoint(b, filepath.Join(b.TempDir(), "c"), store.CheckpointOptions{})
	load(b, k, stream.Task{})
	b.SetBytes(int64(len(all)))
	for b.Loop() {
		must(b, k.Save(stream.Task{}, all, true))
		must(b, k.Flush(b.Context()))
		n := 0
		must(b, k.Load(b.Context(), stream.Task{}, func(_, _ []byte) error { n++; return nil }))
		if n != 1_000_000 {
			b.Fatal(n)
		}
	}
}

func many(n int) (e stream.Entries) {
	var value [40]byte
	for i := range n {
		e.Append(fmt.Appendf(nil, "key-%d", i), value[:])
	}
	return e
}
