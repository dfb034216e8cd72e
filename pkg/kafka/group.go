package kafka

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// Balancers are the names of the ways to share out partitions.
var Balancers = []string{"cooperative-sticky", "sticky", "range", "roundrobin", "kip848"}

func balancer(name string) ([]kgo.Opt, error) {
	switch name {
	case "", "cooperative-sticky":
		return []kgo.Opt{kgo.Balancers(kgo.CooperativeStickyBalancer())}, nil
	case "sticky":
		return []kgo.Opt{kgo.Balancers(kgo.StickyBalancer())}, nil
	case "range":
		return []kgo.Opt{kgo.Balancers(kgo.RangeBalancer())}, nil
	case "roundrobin":
		return []kgo.Opt{kgo.Balancers(kgo.RoundRobinBalancer())}, nil
	case "kip848":
		return []kgo.Opt{kgo.ServerSideBalancer()}, nil
	}
	return nil, fault.Usagef("one of "+strings.Join(Balancers, ", "), "unknown balancer %q", name)
}

// rebalanceWithin is how long a member may take to give partitions up.
const rebalanceWithin = time.Minute

func (s *Source) groupOptions() []kgo.Opt {
	opts, _ := balancer(s.cfg.Balancer) // checked when opened
	opts = append(opts,
		kgo.ConsumerGroup(s.cfg.Group),
		kgo.ConsumeTopics(s.cfg.Topics...),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(rebalanceWithin),
		kgo.AdjustFetchOffsetsFn(s.assign),
		kgo.OnPartitionsAssigned(s.onAssigned),
		kgo.OnPartitionsRevoked(s.onRevoked),
		kgo.OnPartitionsLost(s.onLost),
	)
	if s.cfg.Balancer != "kip848" {
		opts = append(opts, kgo.SessionTimeout(s.cfg.Session), kgo.HeartbeatInterval(s.cfg.Session/4))
	}
	if s.cfg.Pattern {
		opts = append(opts, kgo.ConsumeRegex())
		for _, name := range s.cfg.Except {
			opts = append(opts, kgo.ConsumeExcludeTopics("^"+regexp.QuoteMeta(name)+"$"))
		}
	}
	if s.cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(s.cfg.InstanceID))
	}
	return opts
}

func (s *Source) onAssigned(ctx context.Context, client *kgo.Client, parts map[string][]int32) {
	id, _ := client.GroupMetadata()
	kept := s.keptBy(id)
	if len(kept) > 0 {
		s.onLost(ctx, client, kept)
	}
	s.mu.Lock()
	s.member = id
	s.joined, s.placing = true, s.placing || len(parts) > 0
	s.mu.Unlock()
	if len(kept) > 0 {
		s.takeAnew(ctx, client, kept)
	}
	if len(parts) > 0 {
		s.rebalances.Add(1)
	}
	signal(s.wake)
}

// positions are offsets by topic and partition.
type positions = map[string]map[int32]kgo.Offset

// assign makes partitions this reader's. It is given what the group has
// committed, less than zero where nothing is, and returns where they begin.
func (s *Source) assign(ctx context.Context, committed positions) (positions, error) {
	topics := make([]string, 0, len(committed))
	for t := range committed {
		topics = append(topics, t)
	}
	marks, err := s.listOffsets(ctx, topics)
	if err != nil {
		return nil, err
	}
	s.noteCommitted(committed)
	s.checkAssigned(committed)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joined, s.placing = true, false
	for topic, parts := range committed {
		for _, n := range sortedKeys(parts) {
			id := part{topic, n}
			p := s.own(id)
			s.place(p, marks, parts[n].EpochOffset().Offset)
			parts[n] = kgo.NewOffset().At(p.next)
			s.orders = append(s.orders, order{partition: p, atEnd: p.quiet()})
		}
	}
	signal(s.wake)
	return committed, nil
}

// noteCommitted says, once, that the start which was asked for does not count
// where the group has committed.
func (s *Source) noteCommitted(committed positions) {
	if s.cfg.Note == nil || s.cfg.Start.kind == atDefault || len(s.seeks) > 0 {
		return
	}
	for _, parts := range committed {
		for _, at := range parts {
			if at.EpochOffset().Offset >= 0 {
				s.noted.Do(func() {
					s.cfg.Note(fmt.Sprintf("group %q goes on where it has committed; --start counts for other partitions",
						s.cfg.Group))
				})
				return
			}
		}
	}
}

func sortedKeys[V any](m map[int32]V) []int32 {
	keys := make([]int32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// own returns the partition of the given name, which is this reader's from now
// on.
func (s *Source) own(id part) *partition {
	p := s.parts[id]
	if p == nil {
		p = &partition{part: id, origin: &record.Origin{
			Source: id.topic, Partition: id.n, Topic: true, Modified: record.NoTime,
		}}
		if s.cfg.Shuffled != nil {
			p.origin.Upstreams = s.cfg.Shuffled.Upstreams
		}
		s.parts[id] = p
	}
	if !p.owned {
		p.owned = true
		s.owned = append(s.owned, p)
		s.portion.among(len(s.owned))
	}
	return p
}

// place sets where p begins and ends.
func (s *Source) place(p *partition, marks offsets, committed int64) {
	first := offsetOf(marks.first, p.part)
	p.end = offsetOf(marks.last, p.part)
	p.pending, p.waits, p.silent, p.over = nil, 0, time.Now(), nil
	at, sought := s.seeks[p.part]
	switch {
	case sought && !p.placed:
		p.next = at
	case sought: // it comes back: what was handed out, here or by another member, is in the sink
		p.next = max(p.next, committed)
	case committed >= 0:
		p.next = committed
	case s.cameLater(p.part):
		p.next = first
	default:
		p.next = marks.begin(s.cfg.Start, p.part)
	}
	s.noteDeleted(p, p.next, first)
	p.next = max(p.next, first)
	p.placed, p.committed = true, p.next
	p.stop = s.marks.end(s.cfg.Stop, p.part)
	if s.cfg.Stop.kind == forCount {
		p.stop = p.next + s.cfg.Stop.n
	}
	wasEnded := p.ended
	p.held, p.done = false, false
	p.ended = p.stop != never && p.next >= p.stop
	if s.client == nil {
		return
	}
	ps := map[string][]int32{p.topic: {p.n}}
	switch {
	case p.ended:
		s.client.PauseFetchPartitions(ps)
	case wasEnded || p.paused:
		p.paused = false
		s.client.ResumeFetchPartitions(ps)
	}
}

// onRevoked waits until all that was read of the partitions is dealt with and
// committed, so that their next reader begins behind it.
func (s *Source) onRevoked(ctx context.Context, _ *kgo.Client, parts map[string][]int32) {
	if len(parts) == 0 {
		return
	}
	s.rebalances.Add(1)
	done := make(chan struct{})
	if !s.give(parts, func(error) { close(done) }) {
		return
	}
	timer, look := time.NewTimer(rebalanceWithin*3/4), time.NewTicker(lookEvery)
	defer timer.Stop()
	defer look.Stop()
	for waits := true; waits; {
		select {
		case <-look.C:
			waits = !s.settled(parts)
		case <-done:
			waits = false
		case <-timer.C:
			waits = false
			s.noteLost(parts)
		case <-s.quit:
			waits = false
		case <-ctx.Done():
			waits = false
		}
	}
	s.disown(parts)
}

// lookEvery is how often it is looked whether what was read to its end is
// committed: no barrier would tell.
const lookEvery = 50 * time.Millisecond

// settled reports whether the source has ended, while others of the run have not,
// and all that was read of the partitions is committed.
func (s *Source) settled(parts map[string][]int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	settled := s.over
	s.each(parts, func(p *partition) { settled = settled && p.committed >= p.next })
	return settled
}

// give stops handing out records of the partitions, says so, and puts a
// barrier behind what was handed out. It returns false where the source is closed.
func (s *Source) give(parts map[string][]int32, barrier func(error)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	var leaving []*record.Origin
	s.each(parts, func(p *partition) {
		recycle(p.pending)
		p.pending = nil
		leaving = append(leaving, p.origin)
		s.orders = append(s.orders, order{partition: p, atEnd: true})
	})
	s.orders = append(s.orders, order{barrier: barrier, leaving: leaving})
	signal(s.wake)
	signal(s.rush)
	return true
}

// disown ends the ownership of partitions: nothing is committed for them.
func (s *Source) disown(parts map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.placing = false
	s.each(parts, func(p *partition) { p.owned, p.pending = false, nil })
	s.owned = slices.DeleteFunc(s.owned, func(p *partition) bool { return !p.owned })
	s.portion.among(len(s.owned))
	signal(s.wake)
}

func (s *Source) each(parts map[string][]int32, do func(*partition)) {
	for topic, ns := range parts {
		for _, n := range ns {
			if p := s.parts[part{topic, n}]; p != nil && p.owned {
				do(p)
			}
		}
	}
}

// end makes Read return io.EOF, once what waits has been handed out.
func (s *Source) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = io.EOF
	}
	return nil
}
