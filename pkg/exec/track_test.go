package exec_test

import (
	"testing"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestPositionIsBeforeWhatWasGivenUp writes some rows of a batch, not all of them live,
// when nothing is begun any more, and asks for the position when the batch is gone.
func TestPositionIsBeforeWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	s := open(t, exec.Options{Command: handler("poison"), Out: new(got)})
	if err := s.Drain(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	b := batch(0, 50, numbered("n:", 100)...)
	b.Recs[2].Flags |= record.Dropped
	if err := s.Write(record.Rows{Batch: b, Lo: 2, Hi: 90}); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if at := s.Finished(stream.Position{Source: "t", Next: 150}); at.Next != 53 {
		t.Errorf("finished up to %d, want 53", at.Next)
	}
}

// TestRowsThatAreNotLiveAreFinished writes a part of a batch with such rows.
func TestRowsThatAreNotLiveAreFinished(t *testing.T) {
	t.Parallel()
	out := new(got)
	s := open(t, exec.Options{Command: handler("poison"), Out: out})
	b := batch(0, 50, numbered("n:", 100)...)
	for _, row := range []int{10, 11, 64, 79} {
		b.Recs[row].Flags |= record.Dropped
	}
	if err := s.Write(record.Rows{Batch: b, Lo: 10, Hi: 80}); err != nil {
		t.Fatal(err)
	}
	finish(t, s)
	if at := s.Finished(stream.Position{Source: "t", Next: 130}); at.Next != 130 || len(out.all()) != 66 {
		t.Errorf("finished up to %d, want 130; %d came through, want 66", at.Next, len(out.all()))
	}
}
