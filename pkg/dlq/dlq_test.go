package dlq_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
)

const now = int64(1_795_514_400_000_000_000)

// letters returns a batch of dead letters, one for each class=message.
func letters(errors ...string) *record.Batch {
	from := record.NewBatch()
	from.Origin = &record.Origin{Source: "app", Topic: true}
	to := record.NewBatch()
	to.Origin = &record.Origin{Source: "app-dlq", Topic: true, Partition: 3}
	for i, e := range errors {
		rec := from.Add([]byte("payload"))
		rec.Offset = int64(100 + i)
		rec.Flags |= record.HasKey
		rec.Key = record.AppendSpan(from, "k")
		class, message, _ := strings.Cut(e, "=")
		s := letter.State{Origin: letter.OriginOf(from, i)}
		s.Failed("transient", class, message, now-int64(i)*int64(time.Minute))
		letter.Append(to, from, i, &s)
		to.Recs[i].Offset = int64(i)
	}
	return to
}

func TestMarks(t *testing.T) {
	b := letters("A=1", "B=2", "A=3")
	x := dlq.Index{Filter: dlq.Filter{Classes: []string{"a"}}}
	_ = x.Write(b.All())
	all := x.Letters()
	if len(all) != 2 || all[1].ID() != "app/0@102" || all[1].Place.String() != "app-dlq/3@2" {
		t.Fatalf("got %+v", all)
	}
	marks := record.NewBatch()
	marks.Origin = &record.Origin{Source: "app-dlq", Topic: true, Partition: 1} // they may stand anywhere
	dlq.AddMark(marks, all[0].Place, dlq.Replayed)
	_ = x.Write(marks.All())
	if left := x.Letters(); len(left) != 1 || left[0].ID() != "app/0@102" || x.Marked(dlq.Replayed) != 1 || x.Others != 0 {
		t.Errorf("left %+v, others %d", left, x.Others)
	}
	if n := len(x.Unpurged()); n != 2 {
		t.Errorf("%d are not purged", n)
	}
	if got := fmt.Sprint(x.DoneUpTo()); got != "map[3:1]" {
		t.Errorf("done up to %s", got)
	}
	dlq.AddMark(marks, all[1].Place, dlq.Purged)
	_ = x.Write(marks.All())
	if got := fmt.Sprint(x.DoneUpTo()); got != "map[3:3]" {
		t.Errorf("done up to %s", got)
	}
}

// TestLetterOfWhatDidNotParse: who reads a record writes why it did not parse, and no more.
func TestLetterOfWhatDidNotParse(t *testing.T) {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "app-dlq", Topic: true}
	rec := b.Add([]byte("{"))
	rec.Stamp = now
	letter.SetHeader(b, rec, letter.Reason, "got the end at byte 2")
	l, ok := dlq.ReadLetter(b, 0)
	if !ok || l.Class != "PARSE" || l.Kind != "permanent" || l.When != now || l.Signature == 0 {
		t.Errorf("a letter? %v, %+v", ok, l)
	}
}

func TestFilter(t *testing.T) {
	b := letters("TIMEOUT=after 1s", "CRASH=x")
	for _, c := range []struct {
		f    dlq.Filter
		want int
	}{
		{dlq.Filter{}, 2},
		{dlq.Filter{Classes: []string{"timeout"}}, 1},
		{dlq.Filter{Classes: []string{"TRANSIENT"}}, 2},
		{dlq.Filter{Sources: []string{"other"}}, 0},
		{dlq.Filter{Since: now}, 1},
		{dlq.Filter{IDs: []string{"app/0@101"}}, 1},
		{dlq.Filter{IDs: []string{"app-dlq/3@0"}}, 1},
		{dlq.Filter{Signatures: []string{fmt.Sprintf("%016x", letter.Sign("TIMEOUT", "after 9s"))}}, 1},
	} {
		x := dlq.Index{Filter: c.f}
		_ = x.Write(b.All())
		if n := len(x.Letters()); n != c.want {
			t.Errorf("%+v: %d letters, want %d", c.f, n, c.want)
		}
	}
}

func TestStats(t *testing.T) {
	var errors []string
	for i := range 1000 {
		errors = append(errors, fmt.Sprintf("TIMEOUT=no answer from 10.0.0.%d in %d ms", i%200, i))
	}
	errors = append(errors, "CRASH=it ended")
	x := dlq.Index{}
	_ = x.Write(letters(errors...).All())
	s := x.Stats(now+1, func(topic string) (int64, bool) { return 100, topic == "app" })
	if s.Bytes != 1001*int64(len("payload")) || s.CameBack != 0 {
		t.Errorf("%d bytes, %d came back", s.Bytes, s.CameBack)
	}
	if s.Letters != 1001 || len(s.BySignature) != 2 || s.BySignature[0].Count != 1000 || s.LastHour != 60 || s.PerMinute != 1 {
		t.Errorf("got %+v", s)
	}
	if got := s.BySignature[0].Pattern; got != "no answer from # in # ms" {
		t.Errorf("pattern %q", got)
	}
	// One message for a thousand like errors.
	want := []string{
		`60.0 % of the records of "app" in the last hour are dead letters (60 of 100)`,
		"100 % of the dead letters are TIMEOUT (1,000), as app/0@100",
	}
	if fmt.Sprint(s.Alerts) != fmt.Sprint(want) {
		t.Errorf("alerts %q", s.Alerts)
	}
	s = x.Stats(now+int64(25*time.Hour), func(string) (int64, bool) { return 0, false })
	if s.BySource[0].Records != nil || s.BySource[0].Rate != nil {
		t.Error("what is unknown is not said to be unknown")
	}
	if last := s.Alerts[len(s.Alerts)-1]; !strings.HasPrefix(last, "the oldest dead letter has waited for ") {
		t.Errorf("alerts %q", s.Alerts)
	}
}

func TestNewer(t *testing.T) {
	x := dlq.Index{}
	_ = x.Write(letters("A=1", "A=2").All()) // of one key, at 100 and 101
	n := dlq.NewNewer(x.Letters())
	if topics, since := n.Topics(); fmt.Sprint(topics) != "[app]" || since != record.NoTime {
		t.Errorf("reads %v from %d on, want app from the beginning, since the letters have no time", topics, since)
	}
	main := record.NewBatch()
	main.Origin = &record.Origin{Source: "app", Topic: true}
	for i := range 2 {
		rec := main.Add([]byte("x"))
		rec.Offset, rec.Flags = int64(100+i), record.HasKey
		rec.Key = record.AppendSpan(main, "k")
	}
	_ = n.Write(main.All())
	if kept := n.Keep(x.Letters()); len(kept) != 1 || kept[0].ID() != "app/0@101" {
		t.Errorf("kept %+v: want the one that is the newest of its key", kept)
	}
}
