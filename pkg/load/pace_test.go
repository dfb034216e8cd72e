package load_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// text is a sink that holds records until it is pushed or flushed.
type text struct {
	held, out []string
	pushed    int
}

func (s *text) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			s.held = append(s.held, string(rows.Value(i)))
		}
	}
	return nil
}

func (s *text) Push() error {
	s.out, s.held = append(s.out, s.held...), nil
	s.pushed++
	return nil
}

func (s *text) Flush(context.Context) error { return s.Push() }

func rowsOf(words string) record.Rows {
	b := record.NewBatch()
	for word := range strings.FieldsSeq(words) {
		b.Add([]byte(word))
		if word == "-" {
			b.Recs[len(b.Recs)-1].Flags = record.Dropped
		}
	}
	return b.All()
}

func TestPaceHandsOnEverythingInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate, err := limit.ParseSchedule("100/s")
		if err != nil {
			t.Fatal(err)
		}
		to := &text{}
		sink := load.Pace(t.Context(), to, rate, 0)
		start := time.Now()
		for _, words := range []string{"a b - c", "- -", "", "d", "e f g h i j k -"} {
			if err := sink.Write(rowsOf(words)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 100*time.Millisecond {
			t.Errorf("11 records took %v at 100/s, want at least 100ms", took)
		}
		if to.pushed < 2 || len(to.out) == 0 {
			t.Errorf("what is written is not passed on while others wait: %d pushes", to.pushed)
		}
		if err := sink.(interface{ Flush(context.Context) error }).Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Fields("a b c d e f g h i j k"), to.out); d != "" {
			t.Error(d)
		}
	})
}

// TestPaceThatIsInterrupted takes no more of what can be read again, and keeps to
// the pace with the rest of a pipe until its time is up.
func TestPaceThatIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate, err := limit.ParseSchedule("1/h")
		if err != nil {
			t.Fatal(err)
		}
		for _, rest := range []time.Duration{0, 50 * time.Millisecond} {
			to := &text{}
			ctx, cancel := context.WithCancel(t.Context())
			sink := load.Pace(ctx, to, rate, rest)
			done := make(chan error)
			began := time.Now()
			go func() { done <- sink.Write(rowsOf("a b c d")) }()
			cancel()
			err := <-done
			n := len(to.held) + len(to.out)
			var stop stream.Stopped
			switch {
			case rest == 0 && (!errors.As(err, &stop) || stop.At != n || n > 1):
				t.Errorf("%v, %d records", err, n)
			case rest > 0 && (err != nil || n != 4 || time.Since(began) < rest):
				t.Errorf("%v, %d records after %v", err, n, time.Since(began))
			}
		}
	})
}
