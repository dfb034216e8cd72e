package route_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// A slow is a destination that finishes records at its own pace. It notes what it is told.
type slow struct {
	kept
	to   int64
	told []string
	fail error
}

func (s *slow) note(what string) error {
	s.told = append(s.told, what)
	return s.fail
}

func (s *slow) Flush(context.Context) error       { return s.note("flush") }
func (s *slow) Push() error                       { return s.note("push") }
func (s *slow) Drain(context.Context, bool) error { return s.note("drain") }
func (s *slow) Leave([]*record.Origin)            { _ = s.note("leave") }

func (s *slow) Finished(p stream.Position) stream.Position {
	p.Next = min(p.Next, s.to)
	return p
}

// TestEveryDestinationIsTold: a commit passes what the slowest has finished, and what one
// fails with hides neither the others nor their errors.
func TestEveryDestinationIsTold(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	sinks := map[string]stream.Sink{
		"one": &slow{to: 7, fail: first}, "two": new(kept), "three": &slow{to: 5}, "four": &slow{to: 9, fail: second},
	}
	w := newTown(t)
	w.dests = route.NewDestinations(func(name string, _ bool) (stream.Sink, error) { return sinks[name], nil })
	w.rules(t, "rules: [{name: x, match: has(a), to: [one, two, three, four]}]", route.Options{})
	s := route.Tracked{Switch: route.NewSwitch(w.dests)}
	if p := s.Finished(stream.Position{Next: 8}); p.Next != 5 {
		t.Errorf("finished up to %d, want what the slowest has finished", p.Next)
	}
	s.Leave(nil)
	for what, err := range map[string]error{
		"drain": s.Drain(t.Context(), true), "flush": s.Flush(t.Context()), "push": s.Push(),
	} {
		if !errors.Is(err, first) || !errors.Is(err, second) {
			t.Errorf("%s: %v, want both errors", what, err)
		}
	}
	for _, name := range []string{"one", "three", "four"} {
		told := sinks[name].(*slow).told
		slices.Sort(told)
		if want := []string{"drain", "flush", "leave", "push"}; !slices.Equal(told, want) {
			t.Errorf("%s was told %v", name, told)
		}
	}
}
