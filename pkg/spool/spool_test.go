package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
)

func open(t testing.TB, dir string, cfg spool.Config) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// lines returns a batch of one line a record.
func lines(text ...string) *record.Batch {
	b := record.NewBatch()
	for _, l := range text {
		b.Add([]byte(l))
	}
	return b
}

// next reads on: the values of the live records, io.EOF for none, and what
// Ack takes behind them.
func next(t testing.TB, s *spool.Spool) (values []string, behind int64) {
	t.Helper()
	b := record.NewBatch()
	err := s.Next(b)
	if err == io.EOF {
		return nil, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Recs {
		if b.Recs[i].Live() {
			values = append(values, string(b.Value(i)))
		}
	}
	return values, b.Next
}

// rest reads all that is left.
func rest(t testing.TB, s *spool.Spool) (all []string) {
	t.Helper()
	for {
		values, behind := next(t, s)
		if behind == 0 {
			return all
		}
		all = append(all, values...)
	}
}

// TestEverythingOfARecordComesBack: value, key, headers, times, flags and
// origin, byte for byte.
func TestEverythingOfARecordComesBack(t *testing.T) {
	s := open(t, t.TempDir(), spool.Config{})
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "in.log", Partition: 7, Topic: true}
	b.Arrived = 99
	rec := b.Add([]byte("va\x00l\nue"))
	rec.Key, rec.Flags = record.AppendSpan(b, "key"), record.HasKey
	rec.Offset, rec.Stamp, rec.Time, rec.Line = 1<<40, -5, record.NoTime, 12
	for _, h := range [][2]string{{"a", "1"}, {"", "\xff"}, {"a", ""}} {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h[0]), Value: record.AppendSpan(b, h[1])})
	}
	rec.Headers = record.Span{Off: 1, Len: 2}
	b.Add([]byte("filtered out")).Flags = record.Dropped
	b.Add(nil).Flags = record.HasKey | record.Tombstone
	if err := s.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	got := record.NewBatch()
	if err := s.Next(got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(describe(b), describe(got)); d != "" {
		t.Error(d)
	}
	if got.Next != 2 || s.Len() != 2 {
		t.Errorf("next is %d, length %d", got.Next, s.Len())
	}
}

// describe writes all that counts of the live records of b.
func describe(b *record.Batch) (all []string) {
	all = append(all, fmt.Sprintf("%+v %d", *b.Origin, b.Arrived))
	for i := range b.Recs {
		rec := b.Recs[i]
		if !rec.Live() {
			continue
		}
		line := fmt.Sprintf("%q %q %d %d %d %d %d", b.Bytes(rec.Value), b.Bytes(rec.Key),
			rec.Flags, rec.Offset, rec.Stamp, rec.Time, rec.Line)
		for _, h := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
			line += fmt.Sprintf(" %q=%q", b.Bytes(h.Key), b.Bytes(h.Value))
		}
		all = append(all, line)
	}
	all[0] = strings.Replace(all[0], "Modified:-9223372036854775808", "Modified:0", 1)
	return all
}

// TestAsAQueue does what a queue in memory does, at random, and compares; every
// now and then it is opened again, with or without having been closed.
func TestAsAQueue(t *testing.T) {
	for seed := range uint64(30) {
		chance := rand.New(rand.NewPCG(seed, 0))
		dir := t.TempDir()
		cfg := spool.Config{SegmentBytes: 1 + chance.Int64N(300)}
		s := open(t, dir, cfg)
		var queue []string // what was not acknowledged
		read, first := 0, int64(0)
		for op := range 400 {
			switch chance.IntN(9) {
			case 0, 1, 2:
				var add []string
				for range 1 + chance.IntN(4) {
					add = append(add, fmt.Sprint(op, strings.Repeat("x", chance.IntN(100))))
				}
				if err := s.Write(lines(add...).All()); err != nil {
					t.Fatal(err)
				}
				queue = append(queue, add...)
			case 3, 4, 5:
				values, behind := next(t, s)
				if want := queue[read : read+len(values)]; !slices.Equal(want, values) {
					t.Fatalf("seed %d, step %d: read %q, want %q", seed, op, values, want)
				}
				if behind == 0 != (read == len(queue)) {
					t.Fatalf("seed %d, step %d: nothing to read with %d of %d read", seed, op, read, len(queue))
				}
				read += len(values)
			case 6, 7:
				n := chance.IntN(read + 1)
				first += int64(n)
				if err := s.Ack(first); err != nil {
					t.Fatal(err)
				}
				queue, read = queue[n:], read-n
			case 8:
				if chance.IntN(2) == 0 {
					_ = s.Flush(t.Context())
				}
				if err := s.Close(); err != nil { // gives up the lock; what else it does a kill does not
					t.Fatal(err)
				}
				s = open(t, dir, cfg)
				read = 0
			}
			if s.Len() != int64(len(queue)) {
				t.Fatalf("seed %d, step %d: length %d, want %d", seed, op, s.Len(), len(queue))
			}
		}
		_ = s.Close()
		s = open(t, dir, cfg)
		if d := cmp.Diff(queue, rest(t, s)); d != "" {
			t.Errorf("seed %d: %s", seed, d)
		}
		if err := s.Ack(first + int64(len(queue))); err != nil {
			t.Fatal(err)
		}
		if left := segments(t, dir); len(left) > 0 || s.Bytes() != 0 {
			t.Errorf("seed %d: with nothing in it %d bytes are left in %v", seed, s.Bytes(), left)
		}
	}
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestEveryPrefix: wherever a writer is killed, what was whole by then is there,
// and writing goes on behind it.
func TestEveryPrefix(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Config{})
	var ends []int64 // of the file, behind each Write
	var want [][]string
	for i := range 6 {
		frame := []string{fmt.Sprint("first of ", i), strings.Repeat("y", i*7)}
		if err := s.Write(lines(frame...).All()); err != nil {
			t.Fatal(err)
		}
		want, ends = append(want, frame), append(ends, s.Bytes())
	}
	text, err := os.ReadFile(segments(t, dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"", "\x00", strings.Repeat("\x00", 5000)} {
		for n := range len(text) + 1 {
			killed := t.TempDir()
			path := filepath.Join(killed, filepath.Base(segments(t, dir)[0]))
			cut := append(text[:n:n], tail...)
			var whole []string
			for i, end := range ends {
				if bytes.HasPrefix(cut, text[:end]) { // a frame may end with a zero
					whole = append(whole, want[i]...)
				}
			}
			if err := os.WriteFile(path, cut, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := spool.Open(killed, spool.Config{})
			if err != nil {
				if tail == "" || n == 0 || slices.Contains(ends, int64(n)) {
					t.Fatalf("%d bytes and %d zeros: %v", n, len(tail), err)
				}
				continue // a frame whose end is zeros: a disk that lost power and lies about it is damage
			}
			if err := r.Write(lines("more").All()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(append(whole, "more"), rest(t, r)); d != "" {
				t.Fatalf("%d bytes and %d zeros: %s", n, len(tail), d)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestEveryPrefixOfThePosition: of a position that was being written either the
// old or the new one is found.
func TestEveryPrefixOfThePosition(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Config{})
	all := []string{"0", "1", "2", "3", "4", "5"}
	if err := s.Write(lines(all...).All()); err != nil {
		t.Fatal(err)
	}
	rest(t, s)
	path := filepath.Join(dir, "position")
	old := []byte{}
	for n := int64(1); n < 6; n++ {
		if err := s.Ack(n); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(text) + 1 {
			torn := append([]byte{}, text[:cut]...)
			torn = append(torn, old[min(cut, len(old)):]...)
			killed := t.TempDir()
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(killed, "position"), torn, 0o600); err != nil {
				t.Fatal(err)
			}
			r := open(t, killed, spool.Config{})
			got := rest(t, r)
			if !slices.Equal(got, all[n:]) && !slices.Equal(got, all[n-1:]) {
				t.Fatalf("acknowledged %d, %d bytes of it written: %v", n, cut, got)
			}
			_ = r.Close()
		}
		old = text
	}
}

// TestDamage: a byte that was changed is said, with its file, and never read
// over.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Config{SegmentBytes: 60})
	for i := range 9 {
		if err := s.Write(lines(fmt.Sprint("record ", i)).All()); err != nil {
			t.Fatal(err)
		}
	}
	files := segments(t, dir)
	if len(files) < 3 {
		t.Fatalf("%d segments", len(files))
	}
	for k, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := range text {
			killed := t.TempDir()
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			changed := slices.Clone(text)
			changed[at] ^= 0x40
			if err := os.WriteFile(filepath.Join(killed, filepath.Base(path)), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			err := readAll(killed)
			if err == nil && (k < len(files)-1 || at >= 8) || err != nil && !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Fatalf("byte %d of %s was changed: %v", at, filepath.Base(path), err)
			}
			if err != nil && (!strings.Contains(err.Error(), "damaged at byte") || fault.HintOf(err) == "") {
				t.Fatalf("%v, hint %q", err, fault.HintOf(err))
			}
		}
	}
}

// TestMissing: of files that are cut anywhere, or removed, what is whole comes back
// and the rest is counted, once.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.Config{SegmentBytes: 60})
	var all []string
	for i := range 9 {
		all = append(all, fmt.Sprint("record ", i))
		must(t, s.Write(lines(all[i]).All()))
	}
	must(t, s.Flush(t.Context()))
	for _, path := range segments(t, dir) {
		text, err := os.ReadFile(path)
		must(t, err)
		for n := -1; n < len(text); n++ { // -1: removed
			cut := t.TempDir()
			must(t, os.CopyFS(cut, os.DirFS(dir)))
			file := filepath.Join(cut, filepath.Base(path))
			if n < 0 {
				must(t, os.Remove(file))
			} else {
				must(t, os.Truncate(file, int64(n)))
			}
			told := int64(0)
			r := open(t, cut, spool.Config{Lost: func(n int64) { told += n }})
			must(t, r.Write(lines("more").All()))
			got := rest(t, r)
			left := slices.DeleteFunc(slices.Clone(all), func(v string) bool { return !slices.Contains(got, v) })
			if d := cmp.Diff(append(left, "more"), got); d != "" || int(told) != len(all)-len(left) || told == 0 || r.Lost() != told {
				t.Fatalf("%s cut to %d bytes: lost %d, said %d: %s", filepath.Base(path), n, told, r.Lost(), d)
			}
			_ = r.Close()
			r = open(t, cut, spool.Config{}) // read to the end, acknowledged, nothing is left to be said or sent
			var behind int64
			for i := 0; ; i++ {
				_, to := next(t, r)
				must(t, r.Ack(behind)) // one record later: what is missing may begin there
				if to == 0 {
					break
				}
				if r.Lost() > 0 && r.Len() != int64(len(got)-i) {
					t.Fatalf("%s cut to %d bytes: %d records are left behind what is missing, want %d", filepath.Base(path), n, r.Len(), len(got)-i)
				}
				behind = to
			}
			if rest := segments(t, cut); r.Len() != 0 || len(rest) > 0 {
				t.Fatalf("%s cut to %d bytes: %d left, %q", filepath.Base(path), n, r.Len(), rest)
			}
			_ = r.Close()
			if r = open(t, cut, spool.Config{}); r.Lost() != 0 {
				t.Fatalf("%s cut to %d bytes: %d lost, again", filepath.Base(path), n, r.Lost())
			}
			_ = r.Close()
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readAll(dir string) error {
	s, err := spool.Open(dir, spool.Config{})
	if err != nil {
		return err
	}
	for err == nil {
		err = s.Next(record.NewBatch())
	}
	if err == io.EOF {
		err = nil
	}
	return errors.Join(err, s.Close())
}

func TestBound(t *testing.T) {
	s := open(t, t.TempDir(), spool.Config{MaxBytes: 1000})
	big := strings.Repeat("z", 200)
	var err error
	n := 0
	for ; err == nil; n++ {
		err = s.Write(lines(big).All())
	}
	n--
	if !errors.Is(err, spool.ErrFull) || n != 3 || s.Len() != 3 || s.Bytes() > 1000 {
		t.Fatalf("%d records, %d bytes: %v", n, s.Bytes(), err)
	}
	if !strings.Contains(err.Error(), "it holds 3 records in 7") || fault.HintOf(err) == "" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	for range 2 {
		if _, behind := next(t, s); behind == 0 {
			t.Fatal("nothing to read")
		} else if err := s.Ack(behind); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(lines(big).All()); err != nil {
		t.Errorf("there is room again, but: %v", err)
	}
	if err := s.Write(lines(strings.Repeat("z", 2000)).All()); err == nil || errors.Is(err, spool.ErrFull) {
		t.Errorf("a record that will never fit: %v", err)
	}
}

// TestDiskFull: nothing of what did not fit stays, and with room again writing
// goes on.
func TestDiskFull(t *testing.T) {
	if !proof.Alone(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_FSIZE, &was) })
	for room := range uint64(150) {
		dir := t.TempDir()
		s := open(t, dir, spool.Config{})
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: room, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		var want []string
		var err error
		for i := 0; err == nil; i++ {
			line := fmt.Sprint("record ", i)
			if err = s.Write(lines(line).All()); err == nil {
				want = append(want, line)
			}
		}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(err, syscall.EFBIG) || !strings.HasPrefix(err.Error(), fmt.Sprintf("writing to spool %q: ", dir)) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		if err := s.Write(lines("behind it").All()); err != nil {
			t.Fatalf("with room again: %v", err)
		}
		if d := cmp.Diff(append(want, "behind it"), rest(t, s)); d != "" {
			t.Fatalf("room for %d bytes: %s", room, d)
		}
		_ = s.Close()
		if d := cmp.Diff(append(want, "behind it"), rest(t, open(t, dir, spool.Config{}))); d != "" {
			t.Fatalf("room for %d bytes, opened again: %s", room, d)
		}
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, spool.Config{})
	if _, err := spool.Open(dir, spool.Config{}); err == nil || fault.HintOf(err) == "" ||
		!strings.Contains(err.Error(), "another process is using it") {
		t.Errorf("a second owner: %v", err)
	}
}

func TestAckOfWhatWasNotRead(t *testing.T) {
	s := open(t, t.TempDir(), spool.Config{})
	if err := s.Write(lines("a", "b").All()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ack(1); err == nil {
		t.Error("what was not read was acknowledged")
	}
}

// FuzzRecover opens whatever stands in a segment and a position: an error or
// records, and what is written then comes back behind them.
func FuzzRecover(f *testing.F) {
	dir := f.TempDir()
	s := open(f, dir, spool.Config{})
	for i := range 3 {
		if err := s.Write(lines(fmt.Sprint("record ", i), "x").All()); err != nil {
			f.Fatal(err)
		}
	}
	rest(f, s)
	if err := s.Ack(1); err != nil {
		f.Fatal(err)
	}
	segment, _ := os.ReadFile(segments(f, dir)[0])
	position, _ := os.ReadFile(filepath.Join(dir, "position"))
	f.Add(segment, position)
	f.Add(segment[:len(segment)-3], position[:7])
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, segment, position []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"00000000000000000000.spool": segment, "position": position} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := spool.Open(dir, spool.Config{})
		if err != nil {
			return
		}
		defer s.Close()
		if err := s.Write(lines("more").All()); err != nil {
			t.Fatal(err)
		}
		var last string
		for err = error(nil); err == nil; {
			b := record.NewBatch()
			if err = s.Next(b); err == nil {
				last = string(b.Value(len(b.Recs) - 1))
			}
		}
		if err == io.EOF && last != "more" {
			t.Errorf("the last record is %q", last)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := open(b, b.TempDir(), spool.Config{MaxBytes: 1 << 40})
	rows := lines(slices.Repeat([]string{strings.Repeat("x", 200)}, 1000)...).All()
	into := record.NewBatch()
	b.ReportAllocs()
	b.SetBytes(200_000)
	for b.Loop() {
		if err := s.Write(rows); err != nil {
			b.Fatal(err)
		}
		into.Reset()
		if err := s.Next(into); err != nil {
			b.Fatal(err)
		}
		if err := s.Ack(into.Next); err != nil {
			b.Fatal(err)
		}
	}
}
