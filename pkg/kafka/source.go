package kafka

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Source reads topics. It implements stream.Source, Committer (with a
// group), Seeker and Pauser.
//
// Batches hold the values of one partition's records, each with a newline
// behind it and nothing between, then their keys and headers. When partitions
// are taken away, Read hands out a batch with Barrier set; the group waits
// until it is called.
type Source struct {
	cfg     SourceConfig
	base    *kgo.Client // for questions
	admin   *kadm.Client
	client  *kgo.Client // made by the first Read
	metrics *kprom.Metrics
	link    link
	portion portion
	bytes   *bytePool
	unpack  *unpacker
	pattern *regexp.Regexp
	seeks   map[part]int64
	inTxn   bool     // positions are committed in the transactions of a Txn
	marks   offsets  // at the start of the run
	ids     topicIDs // of what was committed
	living  living   // members of its group

	want chan struct{} // Read has nothing left: poll
	wake chan struct{} // there is something for Read, or it should look again
	rush chan struct{} // a barrier waits
	quit chan struct{} // closed by Close: nobody waits for Read any more
	stop context.CancelFunc
	poll sync.WaitGroup

	rebalances atomic.Int64
	deleted    atomic.Int64 // see Deleted
	noted      sync.Once

	mu       sync.Mutex // guards what follows, and the fields of partitions
	parts    map[part]*partition
	owned    []*partition // in the order of their assignment
	turn     int          // of owned, whose records come next
	orders   []order      // to be handed out before records
	joined   bool         // a first assignment has arrived
	member   string       // the id under which the group gave what is owned
	placing  bool         // another one has, whose partitions are not owned yet
	err      error
	broken   error  // ends reading at once, whatever waits
	over     bool   // Read has returned an error: it is not called again
	accepted moment // when the group was asked for the last commit that it took
	lost     bool   // see hasLost
	closed   bool
}

// A part names a partition.
type part struct {
	topic string
	n     int32
}

// A partition is what is known of one that is, or was, this reader's.
type partition struct {
	part
	origin    *record.Origin
	next      int64 // offset that is handed out next
	end       int64 // the end that readers see, when last heard of
	stop      int64 // offset to stop at, or never
	committed int64 // what the group has committed, when last heard of
	owned     bool
	placed    bool           // it has begun before
	ended     bool           // it has reached its stop
	held      bool           // nothing of it is handed out
	paused    bool           // nothing of it is fetched
	cut       bool           // records of it were deleted unread, and that was said
	refused   bool           // a batch of it was too large, and that was said
	done      bool           // and that is committed, with all that follows from it
	over      map[part]int64 // of those that it is filled from, where they have ended
	pending   []*kgo.Record
	waits     int       // about how many bytes those take
	silent    time.Time // since when nothing has come
}

// An order is a batch without records: news of a partition, or a barrier.
type order struct {
	*partition
	atEnd   bool
	lost    bool
	barrier func(error)
	leaving []*record.Origin
}

// Seek makes partitions begin at the given positions, whatever their group has
// committed.
func (s *Source) Seek(at []stream.Position) error {
	for _, p := range at {
		s.seeks[part{p.Source, p.Partition}] = p.Next
	}
	return nil
}

// Read fills b with the next records of one partition; see stream.Source.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.client == nil {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	var clock *time.Ticker
	for {
		if ok, err := s.fill(b); ok || err != nil {
			return err
		}
		if clock == nil {
			clock = time.NewTicker(checkEvery)
			defer clock.Stop()
		}
		signal(s.want)
		select {
		case <-s.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-clock.C:
			if err := s.checkSilence(ctx); err != nil {
				return err
			}
		}
	}
}

// Urgent has a message when a barrier waits.
func (s *Source) Urgent() <-chan struct{} { return s.rush }

// signal makes sure that c has a message waiting.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fill fills b with what is ready. It returns false where nothing is, and
// io.EOF when nothing more will be.
func (s *Source) fill(b *record.Batch) (ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok, err = s.ready(b)
	s.over = err != nil
	return ok, err
}

func (s *Source) ready(b *record.Batch) (bool, error) {
	if s.broken != nil {
		return false, s.broken
	}
	if len(s.orders) > 0 {
		s.orders[0].write(b)
		s.orders = s.orders[1:]
		return true, nil
	}
	for range s.owned {
		p := s.owned[s.turn%len(s.owned)]
		if len(p.pending) > 0 && !p.held {
			s.read(p, b)
			return true, nil
		}
		s.turn++
	}
	if s.err != nil {
		return false, s.err
	}
	if s.finite() && s.joined && s.ownEnded() && s.ownsAll() {
		return false, io.EOF
	}
	return false, nil
}

// ownEnded reports whether every partition that is this reader's has ended, and what
// follows from that is committed.
func (s *Source) ownEnded() bool {
	return !slices.ContainsFunc(s.owned, func(p *partition) bool { return !p.ended || s.cfg.Finishes && !p.done })
}

// ownsAll reports whether there is nothing to read but by this reader. Where
// every reader begins with its own count, each ends by itself.
func (s *Source) ownsAll() bool {
	if s.cfg.Group == "" || s.cfg.Stop.kind == forCount && len(s.owned) > 0 {
		return true
	}
	n := 0
	for _, parts := range s.marks.last {
		n += len(parts)
	}
	return len(s.owned) == n
}

// Pause holds a partition back, or lets it go on.
func (s *Source) Pause(o *record.Origin, hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[part{o.Source, o.Partition}]
	if p == nil || p.held == hold {
		return
	}
	p.held = hold
	s.bound(p)
	signal(s.wake)
}

// maxPending is how many records of a partition that is held back may wait, where they
// take no more than a large batch, before no more of it are fetched. Pausing is dear: the client throws away
// what it has fetched of the partition, and fetches it again. What waits is also
// what the garbage collector looks through.
const maxPending = 1 << 13

// bound has a partition fetched, or not, by how much of it waits.
func (s *Source) bound(p *partition) {
	if s.client == nil || !p.owned || p.ended {
		return
	}
	ps := map[string][]int32{p.topic: {p.n}}
	switch most := s.cfg.Unpacked; {
	case p.held && !p.paused && (len(p.pending) > maxPending || p.waits > most):
		s.client.PauseFetchPartitions(ps)
		p.paused = true
	case p.paused && len(p.pending) < maxPending/2 && p.waits <= most/2:
		s.client.ResumeFetchPartitions(ps)
		p.paused = false
	}
}

// Close ends the source. The member leaves its group at once, also a static
// one; what was not committed is read again by others.
func (s *Source) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.quit)
	s.mu.Unlock()
	if s.client != nil {
		s.stop()
		member, _ := s.client.GroupMetadata()
		s.client.CloseAllowingRebalance()
		s.poll.Wait()
		s.leave(member)
	}
	s.admin.Close()
	return nil
}

// Member returns the group and the stable name of this member, "" where there is
// none.
func (s *Source) Member() (group, instance string) { return s.cfg.Group, s.cfg.InstanceID }

// Rebalances returns how often partitions were given or taken since the start.
func (s *Source) Rebalances() int64 { return s.rebalances.Load() }

// name returns the topics for messages.
func (s *Source) name() string { return strings.Join(s.cfg.Topics, ",") }
