package kafka

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// living is since when members have been seen in their group, by their ids. The word
// of one that is gone says nothing: whoever took its partition over may have died
// before it could commit another. And one that has died is in its group until its
// session is over; so a member is believed to live when it was seen for so long.
type living map[string]time.Time

// among returns what tells whether a member lives, of those that are named in what a
// group has committed. It asks the group only where some are.
func (l living) among(ctx context.Context, s *Source, group string, committed kadm.OffsetResponses) func(string) bool {
	named := false
	committed.Each(func(at kadm.OffsetResponse) { named = named || strings.HasPrefix(at.Metadata, wordLives) })
	g := Group{Name: group}
	if !named || s.questions().members(ctx, &g) != nil {
		return func(string) bool { return false }
	}
	return l.note(g.Members, time.Now(), s.sessions())
}

// note notes who is in the group now.
func (l living) note(members []Member, now time.Time, session time.Duration) func(string) bool {
	here := map[string]bool{}
	for _, m := range members {
		here[m.ID] = true
		if _, seen := l[m.ID]; !seen {
			l[m.ID] = now
		}
	}
	maps.DeleteFunc(l, func(member string, _ time.Time) bool { return !here[member] })
	return func(member string) bool { return here[member] && now.Sub(l[member]) > session }
}

// sessions returns how long a member that has died stays in the group. Under KIP-848
// it is the broker that says; this is its default.
func (s *Source) sessions() time.Duration {
	if s.cfg.Balancer == "kip848" {
		return 45 * time.Second
	}
	return s.cfg.Session
}
