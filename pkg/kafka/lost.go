package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/stream"
)

// ErrTaken says that another process has the name of this member of a group: one of the
// two has to end.
var ErrTaken = errors.New("another process has this member's name")

// takenBy is an error that is ErrTaken in other words.
type takenBy struct{ error }

// Is reports whether target is ErrTaken.
func (takenBy) Is(target error) bool { return target == ErrTaken }

// Unwrap returns the error itself.
func (t takenBy) Unwrap() error { return t.error }

// putOut is ErrAborted, of a member that its group went on without.
type putOut struct{}

// Error says how that came.
func (putOut) Error() string {
	return "the group heard nothing of this member for longer than its session, and went on without it"
}

// Is reports whether target is ErrAborted.
func (putOut) Is(target error) bool { return target == ErrAborted }

// onLost drops partitions that others may read already.
func (s *Source) onLost(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	s.rebalances.Add(1)
	s.noteLost(parts)
	s.mu.Lock()
	s.each(parts, func(p *partition) {
		s.orders = append(s.orders, order{partition: p, atEnd: true, lost: true})
	})
	s.mu.Unlock()
	s.disown(parts)
}

// noteLost notes that partitions go before all that was handed out of them is committed.
func (s *Source) noteLost(parts map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := false
	s.each(parts, func(p *partition) { lost = lost || p.next > p.committed })
	if lost {
		s.lose()
	}
}

// lose notes that something was lost. Where something goes with what is read that must
// not be kept, reading ends at once. It is for those who hold the lock.
func (s *Source) lose() {
	s.lost = true
	if s.cfg.Keeps && s.broken == nil {
		s.broken = putOut{}
		signal(s.wake)
	}
}

// forgotten reports whether the group gave what is owned to a member that it does not
// know any more, which has joined anew as id. Others may have had the partitions in
// between; the client does not say so, and goes on with those that are given back. It is
// for those who hold the lock.
func (s *Source) forgotten(id string) bool {
	return len(s.owned) > 0 && s.member != "" && s.member != id
}

// keptBy returns the partitions that the client goes on with as another member, id, while
// the group has forgotten the one that they were given to.
func (s *Source) keptBy(id string) map[string][]int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.forgotten(id) {
		return nil
	}
	kept := map[string][]int32{}
	for _, p := range s.owned {
		kept[p.topic] = append(kept[p.topic], p.n)
	}
	return kept
}

// takeAnew begins lost partitions where their group has come to meanwhile, as a new member
// does. No records are taken over from the client until it returns.
func (s *Source) takeAnew(ctx context.Context, client *kgo.Client, parts map[string][]int32) {
	from, err := s.committed(ctx, parts)
	if err == nil {
		from, err = s.assign(ctx, from)
	}
	if err != nil {
		s.mu.Lock()
		s.err = s.cfg.explain(err, s.name())
		s.mu.Unlock()
		return
	}
	at := map[string]map[int32]kgo.EpochOffset{}
	for topic, ns := range from {
		at[topic] = map[int32]kgo.EpochOffset{}
		for n, o := range ns {
			at[topic][n] = o.EpochOffset()
		}
	}
	client.SetOffsets(at)
}

// committed returns what the group has committed of partitions, less than zero where
// nothing is. While no broker tells it asks again, until the source is closed.
func (s *Source) committed(ctx context.Context, parts map[string][]int32) (positions, error) {
	for {
		found, err := s.admin.FetchOffsets(ctx, s.cfg.Group)
		if err == nil {
			at := positions{}
			for topic, ns := range parts {
				at[topic] = map[int32]kgo.Offset{}
				for _, n := range ns {
					at[topic][n] = kgo.NewOffset().At(-1)
					if o, ok := found.Lookup(topic, n); ok {
						at[topic][n] = kgo.NewOffset().At(o.At)
					}
				}
			}
			return at, nil
		}
		if !passes(err) {
			return nil, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-s.quit:
			return nil, err
		}
	}
}

// knows returns an error where the group does not know what is owned as that of id: a
// commit as such would be taken, though it may be of what others have had since.
func (s *Source) knows(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgotten(id) {
		return kerr.UnknownMemberID
	}
	return nil
}

// hasLost reports whether the source has lost partitions before all that it had handed
// out of them was committed. When they come back that is read again: whoever writes it
// once has to begin anew.
func (s *Source) hasLost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Holds returns an error where the group may have gone on without this member, which
// has not been told yet: it was stopped, and goes on. What the group has taken in
// lately proves that it has not; else it is asked, by what is committed already.
func (s *Source) Holds(ctx context.Context) error {
	if s.cfg.Group == "" || s.client == nil {
		return nil
	}
	var err error
	s.mu.Lock()
	ago := s.accepted.ago()
	s.mu.Unlock()
	if ago > s.sessions()/2 {
		err = s.ask(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken // it was told meanwhile, and may be in the group anew
	}
	return err
}

// ask commits anew what is committed of one partition, and returns an error where the
// group does not take it from this member. Of partitions that are done there is nothing
// left to be kept.
func (s *Source) ask(ctx context.Context) error {
	var at []stream.Position
	s.mu.Lock()
	for _, p := range s.owned {
		if !p.done {
			at = append(at[:0], stream.Position{Source: p.topic, Partition: p.n, Next: p.committed})
		}
	}
	s.mu.Unlock()
	if len(at) == 0 {
		return nil
	}
	for began := time.Now(); ; {
		err := s.commit(ctx, s.commitRequest(), s.mine(at), s.words(at))
		switch {
		case isAny(err, []error{kerr.UnknownMemberID, kerr.FencedMemberEpoch, kerr.FencedInstanceID}):
			return putOut{}
		case err == nil, !passes(err), time.Since(began) > s.cfg.Timeout:
			return nil // it is in the group, or will hear of what is wrong when it commits
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// A moment is when something was so, by both clocks: the one does not stand still while
// a machine sleeps, the other one is never set.
type moment struct{ at time.Time }

// ago returns how long ago that was at most, for ever where it never was.
func (m moment) ago() time.Duration {
	now := time.Now()
	return max(now.Sub(m.at), now.Round(0).Sub(m.at.Round(0)))
}

// Judge says of what ended a run that read s whether it passes: then it is ErrAborted.
// A member that was put out of its group, or whose transaction was aborted, while it was
// stopped begins again; not so one whose name another process has meanwhile, nor one that
// is in its group while somebody else writes what it does.
func (s *Source) Judge(ctx context.Context, err error) error {
	aborted, moved := errors.Is(err, ErrAborted), errors.Is(err, stream.ErrMoved)
	switch {
	case !aborted && !moved && !isAny(err, fenced), s.cfg.Group == "":
		return err
	case moved && !s.hasLost() && s.Holds(ctx) == nil:
		return err
	case s.taken(ctx):
		return s.cfg.explain(kerr.FencedInstanceID, "")
	case aborted:
		return err
	case moved:
		return putOut{}
	}
	return fmt.Errorf("%w: %w", ErrAborted, err)
}

// taken reports whether another process has this reader's name, and waits until that is
// clear: a member that joins anew, after its session, does not know itself for a while.
func (s *Source) taken(ctx context.Context) bool {
	if s.cfg.InstanceID == "" {
		return false // nor has another one its transactional id
	}
	other := false
	for began := time.Now(); ; {
		signal(s.want) // what the group has to say comes with records
		holder, err := s.holder(ctx)
		me := ""
		if s.client != nil {
			me, _ = s.client.GroupMetadata()
		}
		other = err == nil && holder != "" && holder != me
		switch waited := time.Since(began); {
		case s.isTaken():
			return true
		case err == nil && !other, err != nil && waited > s.sessions(), waited > rebalanceWithin+s.sessions():
			return other
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

// isTaken reports whether this member was told that another one has its name.
func (s *Source) isTaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Is(s.err, ErrTaken)
}

// holder returns the id of the member that is in the group under this reader's name, ""
// where none is.
func (s *Source) holder(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	g := Group{Name: s.cfg.Group}
	err := s.questions().members(ctx, &g)
	if i := slices.IndexFunc(g.Members, func(m Member) bool { return m.Instance == s.cfg.InstanceID }); i >= 0 {
		return g.Members[i].ID, err
	}
	return "", err
}
