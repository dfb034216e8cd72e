package broker

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A parting has a member of a group leave it with its connection, where kfake would
// keep it for long.
//
// kfake starts the clock of a member's session when it answers a JoinGroup or
// SyncGroup, but not where the client is gone by then: a member that was killed while
// it waited stays until the next rebalance of the others has timed out. And of those
// that wait for a dead leader kfake forgets some without an answer, for their own
// clocks are over when its is.
//
// So a connection that ends behind a JoinGroup, or while a SyncGroup waits, is kept
// until that is answered; then a LeaveGroup is what is read of it last.
//
// The clock of a member that joins again goes on while it waits for the others, too,
// and kfake forgets it when it is over. It is hung up on then: it asks again, and is told.
type parting struct {
	knows  func(group, member string) bool // whether a member is in a group
	hangUp func() error

	mu   sync.Mutex
	last *joining // the last request, where it is one
	gone bool     // the client is: nobody reads answers

	body  []byte // of the joining that is being read
	told  bool   // words are what is read from now on
	words []byte
}

// A joining is a JoinGroup, or a SyncGroup without an answer.
type joining struct {
	key, version  int16
	correlation   int32
	group, member string
	instance      *string
	over          bool
	answered      chan struct{} // closed when it is over
	limit         *time.Timer   // when to look for it; nil for never
}

// end ends the waiting for its answer.
func (j *joining) end() {
	j.over = true
	close(j.answered)
	if j.limit != nil {
		j.limit.Stop()
	}
}

// patience is how long an answer is waited for: longer than a rebalance takes.
const patience = 10 * time.Minute

// release ends the waiting for an answer.
func (p *parting) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.last; j != nil && !j.over {
		p.last = nil
		j.end()
	}
}

// look looks whether a member that has waited for a session is forgotten.
func (p *parting) look(j *joining) {
	known := p.knows(j.group, j.member)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case j.over || p.gone:
	case known:
		j.limit.Reset(time.Second)
	default:
		p.last = nil
		j.end()
		_ = p.hangUp() // it is of no use any more
	}
}

// begin takes in the header of a request, and reports whether it wants the rest.
func (p *parting) begin(head []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.body = nil, p.body[:0]
	key := int16(binary.BigEndian.Uint16(head[4:]))
	if k := kmsg.Key(key); k != kmsg.JoinGroup && k != kmsg.SyncGroup {
		return false
	}
	p.last = &joining{
		key:         key,
		version:     int16(binary.BigEndian.Uint16(head[6:])),
		correlation: int32(binary.BigEndian.Uint32(head[8:])),
		answered:    make(chan struct{}),
	}
	return true
}

// end takes in that the request is complete.
func (p *parting) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		return // released meanwhile
	}
	reader := kbin.Reader{Src: p.body}
	reader.NullableString() // the client's id
	req := kmsg.RequestForKey(p.last.key)
	req.SetVersion(p.last.version)
	if req.IsFlexible() {
		kmsg.SkipTags(&reader)
	}
	if req.ReadFrom(reader.Src) != nil {
		p.last = nil // kfake hangs up
		return
	}
	switch req := req.(type) {
	case *kmsg.JoinGroupRequest:
		j, session := p.last, time.Duration(req.SessionTimeoutMillis)*time.Millisecond
		j.group, j.instance, j.member = req.Group, req.InstanceID, req.MemberID
		if j.member != "" {
			j.limit = time.AfterFunc(session, func() { p.look(j) })
		}
	case *kmsg.SyncGroupRequest:
		p.last.group, p.last.instance, p.last.member = req.Group, req.InstanceID, req.MemberID
	}
}

// answers takes in an answer, and reports whether nobody reads it any more.
func (p *parting) answers(frame []byte) (gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.last
	if j == nil || j.over || len(frame) < 8 || int32(binary.BigEndian.Uint32(frame[4:])) != j.correlation {
		return p.gone
	}
	if kmsg.Key(j.key) == kmsg.JoinGroup {
		j.member = joined(frame[8:], j.version)
	} else if !p.gone {
		p.last = nil // it is a member like any other now
	}
	j.end()
	return p.gone
}

// joined returns the name of the member in the answer to a JoinGroup; "" where it was
// refused.
func joined(body []byte, version int16) string {
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.SetVersion(version)
	if resp.IsFlexible() && len(body) > 0 {
		body = body[1:] // it has no tags
	}
	if resp.ReadFrom(body) != nil || resp.ErrorCode != 0 {
		return ""
	}
	return resp.MemberID
}

// read reads what is left to say for a client that is gone; then it returns err.
func (p *parting) read(dst []byte, err error) (int, error) {
	if !p.told {
		p.told, p.words = true, p.farewell()
	}
	if len(p.words) == 0 {
		return 0, err
	}
	n := copy(dst, p.words)
	p.words = p.words[n:]
	return n, nil
}

// farewell returns the LeaveGroup of the member; nil where there is none.
func (p *parting) farewell() []byte {
	p.mu.Lock()
	p.gone = true
	j := p.last
	p.mu.Unlock()
	if j == nil {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-j.answered:
	case <-timer.C:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || j.member == "" {
		return nil
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.SetVersion(3)
	req.Group = j.group
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID, member.InstanceID = j.member, j.instance
	req.Members = append(req.Members, member)
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, j.correlation+1)
}
