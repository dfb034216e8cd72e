package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// What a member of a KIP-848 group says, in the place of its epoch, when it
// goes.
const (
	gone          = -1
	goneForAWhile = -2 // a namesake is to take over its partitions
)

// A static member that died is still in its group. Whoever joins under its name
// takes its place: under the classic protocol the broker sees to that (KIP-345),
// under KIP-848 it refuses the newcomer until the session of the dead one has
// timed out, after 45 s by default. There takeOver says for the dead one that it
// is gone. One that lives is fenced, under both.
//
// A newcomer keeps the client id of the one whose place it takes. Where that says
// another address than its own (see Announce), the old member is put out of the
// group, so that the newcomer joins as one of its own.
func (s *Source) takeOver(ctx context.Context) {
	if s.cfg.InstanceID == "" {
		return
	}
	g := Group{Name: s.cfg.Group}
	if err := s.questions().members(ctx, &g); err != nil {
		return // joining will say what is wrong
	}
	for _, m := range g.Members {
		switch {
		case m.Instance != s.cfg.InstanceID:
		case addressIn(m.ClientID) != addressIn(s.cfg.ClientID):
			s.leave(m.ID)
		case s.cfg.Balancer == "kip848":
			s.goes(ctx, m.ID, goneForAWhile)
		}
	}
}

// leave takes a static member out of its group, which the client does not: a
// member that has ended for good is not to hold its partitions until its
// session times out. Where it fails, they are held so long. A namesake that has taken its
// place stays.
func (s *Source) leave(member string) {
	if s.cfg.Group == "" || s.cfg.InstanceID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.cfg.Balancer != "kip848" {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group = s.cfg.Group
		one := kmsg.NewLeaveGroupRequestMember()
		if one.MemberID = member; member == "" { // it has not been told its id yet
			one.InstanceID = &s.cfg.InstanceID
		}
		req.Members = append(req.Members, one)
		_, _ = s.base.Request(ctx, req)
		return
	}
	s.goes(ctx, member, gone) // the client has said that it is for a while
}

// goes says that a member of this name is gone. Where it fails, its session
// times out.
func (s *Source) goes(ctx context.Context, member string, how int32) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID = s.cfg.Group, member, &s.cfg.InstanceID
	req.MemberEpoch = how
	_, _ = s.base.Request(ctx, req)
}
