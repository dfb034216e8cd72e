package load_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/record"
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
	rate, err := limit.ParseSchedule("100/s")
	if err != nil {
		t.Fatal(err)
	}
	to := &text{}
	sink := load.Pace(t.Context(), to, rate)
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
}

// TestPaceThatIsInterrupted lets go of what is in flight.
func TestPaceThatIsInterrupted(t *testing.T) {
	rate, err := limit.ParseSchedule("1/h")
	if err != nil {
		t.Fatal(err)
	}
	to := &text{}
	ctx, cancel := context.WithCancel(t.Context())
	sink := load.Pace(ctx, to, rate)
	done := make(chan error)
	go func() { done <- sink.Write(rowsOf("a b c d")) }()
	cancel()
	if err := <-done; err != nil || len(to.held)+len(to.out) != 4 {
		t.Errorf("%v, %d records", err, len(to.held)+len(to.out))
	}
}
