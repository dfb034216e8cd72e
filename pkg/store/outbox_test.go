package store_test

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// TestOutboxKeepsRecords: what is written comes back, byte for byte, in order,
// with key, headers and time; what came from a file is written once.
func TestOutboxKeepsRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.db")
	o, err := store.OpenOutbox(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "in.log", Partition: 7}
	rec := b.Add([]byte("one\x00\xff"))
	rec.Key, rec.Flags, rec.Stamp = record.AppendSpan(b, "k"), record.HasKey, 12
	for _, h := range [][2]string{{"a", "1"}, {"\xfe", "\xff"}, {"", ""}} {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h[0]), Value: record.AppendSpan(b, h[1])})
	}
	rec.Headers = record.Span{Off: 0, Len: 3}
	b.Add(nil).Offset = 100
	gone := b.Add(nil)
	gone.Offset, gone.Flags = 101, record.Tombstone|record.HasKey
	for range 2 {
		if err := o.Write(b.All()); err != nil {
			t.Fatal(err)
		}
		if err := o.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, s := readOutbox(t, path)
	defer s.Close()
	want := []string{
		`1 "one\x00\xff" "k" 1 12 "a"="1" "\xfe"="\xff" ""=""`,
		`2 "" "" 0 none`, `3 "" "" 3 none`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// readOutbox reads an outbox to its end.
func readOutbox(t *testing.T, path string, from ...stream.Position) (all []string, s *store.OutboxSource) {
	t.Helper()
	s, err := store.OpenOutboxSource(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Seek(from); err != nil {
		t.Fatal(err)
	}
	s.End()
	for {
		b := record.NewBatch()
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			return all, s
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Recs {
			rec := &b.Recs[i]
			stamp := "none"
			if rec.Stamp != record.NoTime {
				stamp = fmt.Sprint(rec.Stamp)
			}
			line := fmt.Sprintf("%d %q %q %d %s", rec.Offset, b.Value(i), b.Bytes(rec.Key), rec.Flags, stamp)
			for _, h := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
				line += fmt.Sprintf(" %q=%q", b.Bytes(h.Key), b.Bytes(h.Value))
			}
			all = append(all, line)
		}
	}
}

// TestOutboxMarks: what was sent is marked, by a commit or by the position that a
// transaction held when its process died; what is refused is not sent again.
func TestOutboxMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.db")
	o, err := store.OpenOutbox(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for i := range 6 {
		if err := o.Write(batch(int64(i), fmt.Sprint(i)).All()); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := func() store.OutboxStatus {
		st, err := store.ReadOutboxStatus(t.Context(), path, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []*string{&st.Oldest, &st.LastSent} {
			if when, err := time.Parse(time.RFC3339, *at); *at != "" && (err != nil || time.Since(when) > time.Minute) {
				t.Errorf("time %q: %v", *at, err)
			}
			*at = ""
		}
		return st
	}
	all, s := readOutbox(t, path)
	defer s.Close()
	if len(all) != 6 || status() != (store.OutboxStatus{Waiting: 6}) {
		t.Errorf("read %q, status %+v", all, status())
	}
	if err := s.Commit(t.Context(), []stream.Position{{Source: s.Name(), Next: 3}}); err != nil {
		t.Fatal(err)
	}
	bad := record.NewBatch()
	bad.Add([]byte("x")).Offset = 5
	bad.SetBad(0, "too large")
	if err := s.Refuse(bad); err != nil {
		t.Fatal(err)
	}
	if st := status(); st != (store.OutboxStatus{Waiting: 3, Sent: 2, Refused: 1, Reason: "too large"}) {
		t.Errorf("status %+v", st)
	}
	rest, again := readOutbox(t, path, stream.Position{Source: s.Name(), Next: 5})
	defer again.Close()
	if len(rest) != 1 || rest[0][0] != '6' {
		t.Errorf("read %q", rest)
	}
	if st := status(); st != (store.OutboxStatus{Waiting: 1, Sent: 4, Refused: 1, Reason: "too large"}) {
		t.Errorf("status %+v", st)
	}
	if a, _ := o.ID(t.Context()); a == "" {
		t.Error("it has no name")
	} else if b, _ := o.ID(t.Context()); a != b {
		t.Errorf("its name was %q and is %q", a, b)
	}
}

// TestOutboxRefusesBrokenRows: rows that an application has written wrongly are refused
// with the reason, however many stand in a row, and hold up none behind them.
func TestOutboxRefusesBrokenRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.db")
	o, err := store.OpenOutbox(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, insert := range []string{
		`INSERT INTO outbox(value) VALUES ('a')`,
		`INSERT INTO outbox(value, headers) VALUES ('b', 'no JSON'), ('c', '[["h","1"]]'), ('d', '{"h":"1"}')`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 6000)
			INSERT INTO outbox(value, headers) SELECT i, '[["h"]]' FROM n`,
		`INSERT INTO outbox(value) VALUES ('z')`,
	} {
		statement(t, path, insert)
	}
	got, s := readOutbox(t, path)
	defer s.Close()
	want := []string{`1 "a" "" 0 none`, `3 "c" "" 0 none "h"="1"`, `6005 "z" "" 0 none`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if err := s.Commit(t.Context(), []stream.Position{{Source: s.Name(), Next: 6006}}); err != nil {
		t.Fatal(err)
	}
	st, err := store.ReadOutboxStatus(t.Context(), path, "")
	reason := `headers "[[\"h\"]]": want pairs in a JSON array, as in [["name","value"]]`
	if err != nil || st.Waiting != 0 || st.Sent != 3 || st.Refused != 6002 || st.Reason != reason || s.Refused() != 6002 {
		t.Errorf("%v, status %+v", err, st)
	}
}

// TestOutboxStatusOnlyLooks: asking about an outbox makes none.
func TestOutboxStatusOnlyLooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.db")
	o, err := store.OpenOutbox(t.Context(), path, "outbox")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := store.ReadOutboxStatus(t.Context(), path, "outbx")
		if err == nil || fault.HintOf(err) != "did you mean outbox?" {
			t.Errorf("%v, hint %q", err, fault.HintOf(err))
		}
	}
}

// TestOutboxTakesTurns: a source marks rows between two transactions of one who always
// has more to write, and waits for no longer than one of them.
func TestOutboxTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := store.OpenOutbox(t.Context(), filepath.Join(t.TempDir(), "o.db"), "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := o.Source(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		open, marked := make(chan struct{}), make(chan error, 1)
		go func() {
			<-open
			marked <- s.Commit(t.Context(), []stream.Position{{Source: s.Name(), Next: 1}})
		}()
		after := 0 // transactions that began since the source asked
		for done := false; !done; after++ {
			if err := o.Write(batch(int64(after), "x").All()); err != nil {
				t.Fatal(err)
			}
			if after == 0 {
				close(open)
				synctest.Wait() // it has asked
			}
			if err := o.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-marked:
				if err != nil {
					t.Error(err)
				}
				done = true
			default:
			}
		}
		if after > 3 {
			t.Errorf("the source waited for %d transactions", after)
		}
		// One that was given up is no obstacle either.
		if err := o.Write(batch(0, "y").All()); err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), []stream.Position{{Source: s.Name(), Next: 2}}); err != nil {
			t.Error(err)
		}
	})
}
