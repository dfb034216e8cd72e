// Package fleet answers questions about the state of a run. In a consumer group each
// instance holds the state of some partitions; whichever instance is asked collects
// what the others know and answers for all of them.
package fleet

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/peers"
	"github.com/logctl/logctl/pkg/stream"
)

// A Fleet is this run and the other instances that share its state. Its fields are
// set before the first question; after that it may be used from any goroutine.
type Fleet struct {
	Asker      *engine.Asker
	Stats      *engine.Stats
	Lag        func(context.Context) int64 // how many records are not read yet; -1 where it is not known
	Partitions int                         // of the state, over all instances

	Name   func() string // what the others call this instance; nil where there are no others
	Circle peers.Circle  // the others
}

// Within is how long a question may wait for the records that are being processed.
const Within = 5 * time.Second

// A Question is put to every instance, and what they say is merged into one answer.
type Question[T any] struct {
	Look  func(engine.View) (T, error)      // called while the operators of an instance rest
	Merge func([]T, *Standing) (any, error) // what the instances said, in any order; no two know the same partition
	Found func([]T) bool                    // whether any of them knows the key; nil where the question is about all keys
	More  []string                          // parameters to add for the other instances: name, value, …
}

// Route returns a route for questions with these parameters. It also takes the
// parameter with which instances ask each other.
func Route(pattern string, do func(*httpapi.Request) (any, error), params ...string) httpapi.Route {
	return httpapi.Route{Pattern: pattern, Do: do, Params: append(params, "local")}
}

// Local reports whether the request comes from another instance, which wants to hear
// only what is known here.
func Local(r *httpapi.Request) bool { return r.Query("local") == "true" }

// Answer answers a request. A key is known to one instance only: if it is not found
// while some instance does not answer, nobody can tell whether it exists, and the
// answer is 503. An answer about all keys is marked as partial when an instance does
// not answer, and is 503 while state is still being restored or moved.
func Answer[T any](f *Fleet, r *httpapi.Request, q Question[T]) (any, error) {
	if Local(r) {
		p, err := lookHere(r.Context(), f, q.Look)
		if err != nil {
			return nil, err
		}
		return peers.Envelope(f.name(), p), nil
	}
	said, s, err := Survey(f, r, q.Look, q.More...)
	if err != nil {
		return nil, err
	}
	ofKey := q.Found != nil
	if ofKey && !q.Found(said) && s.Partial || !ofKey && (s.passes || s.here == 0) {
		return nil, httpapi.Unavailable("%s", s.Reasons())
	}
	return q.Merge(said, s)
}

// Survey returns what each instance knows, and how complete that is. The others are
// sent the request with the parameters in more added. Instances whose answers cannot
// be added up are left out.
func Survey[T any](
	f *Fleet, r *httpapi.Request, look func(engine.View) (T, error), more ...string,
) ([]T, *Standing, error) {
	s := newStanding(f.Partitions)
	var said []T
	mine, err := lookHere(r.Context(), f, look)
	if err != nil {
		return nil, nil, err
	}
	if s.add(f.name(), "", &mine.state) {
		said = append(said, mine.Said)
	}
	if f.Name != nil && s.here < f.Partitions {
		replies, err := peers.Ask[part[T]](r.Context(), &f.Circle, r.Target(append(more, "local", "true")...))
		if err != nil {
			s.absent(absence{Reason: "it is not known which other instances there are: " + err.Error()})
		}
		for i := range replies {
			switch reply := &replies[i]; {
			case reply.Err != nil:
				s.absent(absence{Instance: reply.Name, Address: reply.URL, Reason: reply.Err.Error()})
			case s.add(reply.Name, reply.URL, &reply.Said.state):
				said = append(said, reply.Said.Said)
			}
		}
	}
	s.settle(time.Now())
	return said, s, nil
}

// lookHere asks the operators of this run.
func lookHere[T any](ctx context.Context, f *Fleet, look func(engine.View) (T, error)) (p part[T], err error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	var failed error
	asked := f.Asker.Ask(ctx, func(v engine.View) {
		p.state = stateOf(v)
		p.Said, failed = look(v)
	})
	if asked != nil {
		return p, httpapi.Unavailable("%w", asked)
	}
	p.Progress = progressOf(f.Stats)
	p.Lag = f.Lag(ctx)
	return p, failed
}

func (f *Fleet) name() string {
	if f.Name == nil {
		return ""
	}
	return f.Name()
}

// Operators returns the operators of a run whose state is there, ordered by partition.
func Operators[O any](v engine.View) []O {
	byPartition := func(a, b stream.Task) int { return cmp.Compare(a.Partition, b.Partition) }
	tasks := slices.SortedFunc(maps.Keys(v.Operators), byPartition)
	list := make([]O, 0, len(tasks))
	for _, t := range tasks {
		if o, ok := v.Operators[t].(O); ok {
			list = append(list, o)
		}
	}
	return list
}
