package guard_test

import (
	"context"
	"slices"
	"testing"

	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
)

// far is a target that settles what it was given when it is told to.
type far struct{ given, settled []string }

func (f *far) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		f.given = append(f.given, string(rows.Value(i)))
	}
	return nil
}

func (f *far) InFlight() bool { return len(f.given) > len(f.settled) }
func (f *far) settle()        { f.settled = slices.Clone(f.given) }

// TestRelay writes while the target is away: Flush returns all the same, and who
// opens the spool after a crash passes on what was not settled.
func TestRelay(t *testing.T) {
	dir := t.TempDir()
	open := func() *spool.Spool {
		s, err := spool.Open(dir, spool.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	write := func(r *guard.Relay, value string) {
		b := record.NewBatch()
		b.Add([]byte(value))
		if err := r.Write(b.All()); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	first := open()
	away := new(far)
	r := guard.NewRelay(t.Context(), first, away)
	write(r, "a")
	write(r, "b")
	if !slices.Equal(away.given, []string{"a"}) {
		t.Errorf("given %q: nothing is sent while something is in flight", away.given)
	}
	away.settle()
	write(r, "c") // a is done with; b and c are on their way
	_ = first.Close()
	second := open()
	defer second.Close()
	back := new(far)
	r = guard.NewRelay(t.Context(), second, back)
	if err := r.Push(); err != nil {
		t.Fatal(err)
	}
	back.settle()
	if left, err := r.Close(); left != 0 || err != nil || !slices.Equal(back.settled, []string{"b", "c"}) {
		t.Errorf("settled %q, %d left, %v", back.settled, left, err)
	}
}
