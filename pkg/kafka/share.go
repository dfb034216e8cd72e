package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/plugin/kprom"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// deliveriesHeader says in a record of a share group how often that was delivered.
const deliveriesHeader = "logctl-deliveries"

// A ShareConfig says what a member of a share group reads.
type ShareConfig struct {
	Config
	Topics []string
	Group  string
	Latest bool  // a group that is new begins at the end, not at the beginning
	Most   int32 // records in hand at once, by default 1000

	MaxRecord int // of a value; a longer one is bad. 0 for no limit but that of a batch
}

// A ShareSource is a member of a share group (KIP-932): the brokers hand out single
// records, to one member at a time, and are told what became of each. It is a
// stream.Committer and Pauser.
//
// Records come in rounds. A round is over when Commit has passed all of it: what is
// passed is accepted, unless Settle has said otherwise; then the next one is asked
// for. What is left at the end is released. Brokers that can renew the leases of
// records (Kafka 4.2) are told to, for as long as a round takes.
type ShareSource struct {
	cfg     ShareConfig
	client  *kgo.Client
	metrics *kprom.Metrics
	over    chan struct{} // has a message when a round is over
	stop    func()        // ends renewing

	mu    sync.Mutex
	round map[part]*lease
	queue []*lease // of the round, what is to be handed out
	open  int      // records of the round that nothing was said of
	renew renewal
}

// A lease is the records of one partition in a round.
type lease struct {
	origin  *record.Origin // a new one each time: offsets begin anew
	records []*kgo.Record  // by offset
	handed  int            // records that Read has given
	told    int            // records that the broker knows the fate of
	verdict map[int64]kgo.AckStatus
}

// OpenShare returns a source whose topics exist. It joins its group at once.
func OpenShare(ctx context.Context, cfg ShareConfig) (*ShareSource, error) {
	if cfg.Most == 0 {
		cfg.Most = 1000
	}
	s := &ShareSource{cfg: cfg, metrics: newMetrics("consume"), over: make(chan struct{}, 1), stop: func() {}}
	base, err := cfg.open(ctx)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	admin := kadm.NewClient(base)
	if _, err := cfg.findTopics(ctx, admin, cfg.Topics); err != nil {
		return nil, err
	}
	if err := cfg.checkKind(ctx, admin, cfg.Group, true); err != nil {
		return nil, err
	}
	if err := s.setStart(ctx, base); err != nil {
		return nil, err
	}
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	s.client, err = kgo.NewClient(append(opts,
		kgo.ShareGroup(cfg.Group), kgo.ConsumeTopics(cfg.Topics...), kgo.ShareMaxRecords(cfg.Most),
		kgo.ShareMaxRecordsStrict(), kgo.ConnIdleTimeout(idleWithin), kgo.WithHooks(s.metrics),
	)...)
	if err != nil {
		return nil, cfg.explain(err, cfg.Group)
	}
	if canRenew(ctx, base) {
		s.startRenewing()
	}
	return s, nil
}

// idleWithin is how long a connection may be silent. With it, all that is held goes.
const idleWithin = 9 * time.Minute

// setStart says where the group begins, if it is new: that is a setting of the
// group, and by default its end.
func (s *ShareSource) setStart(ctx context.Context, client *kgo.Client) error {
	at := "earliest"
	if s.cfg.Latest {
		at = "latest"
	}
	set := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	set.Name, set.Value = "share.auto.offset.reset", &at
	group := kmsg.NewIncrementalAlterConfigsRequestResource()
	group.ResourceType, group.ResourceName = kmsg.ConfigResourceTypeGroupConfig, s.cfg.Group
	group.Configs = append(group.Configs, set)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, group)
	resp, err := req.RequestWith(ctx, client)
	if err == nil && len(resp.Resources) > 0 {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		return fault.Hint(fmt.Errorf("share group %q: setting share.auto.offset.reset: %w", s.cfg.Group, err),
			"share groups need Kafka 4.1 or later, and the right to alter the settings of the group")
	}
	return nil
}

// Read fills b with records of the round, or of the next one; see stream.Source.
func (s *ShareSource) Read(ctx context.Context, b *record.Batch) error {
	for {
		s.mu.Lock()
		filled, open := s.fill(b), s.open > 0
		s.mu.Unlock()
		if filled {
			return nil
		}
		if open {
			select {
			case <-s.over:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := s.next(ctx); err != nil {
			return err
		}
	}
}

// next asks for a round.
func (s *ShareSource) next(ctx context.Context) error {
	fetches := s.client.PollFetches(ctx)
	if ctx.Err() != nil {
		s.drop(fetches)
		return context.Cause(ctx)
	}
	for _, f := range fetches.Errors() {
		if !kerr.IsRetriable(f.Err) {
			s.drop(fetches)
			return s.cfg.explain(f.Err, f.Topic)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round = map[part]*lease{}
	s.renew = renewal{}
	fetches.EachRecord(func(r *kgo.Record) {
		s.renew.cover(r, time.Now())
		id := part{r.Topic, r.Partition}
		l := s.round[id]
		if l == nil {
			l = &lease{origin: &record.Origin{Source: id.topic, Partition: id.n, Topic: true}}
			s.round[id] = l
			s.queue = append(s.queue, l)
		}
		l.records = append(l.records, r)
		s.open++
	})
	for _, l := range s.queue {
		slices.SortFunc(l.records, func(a, b *kgo.Record) int { return cmp.Compare(a.Offset, b.Offset) })
	}
	return nil
}

// drop gives back what nobody will see.
func (s *ShareSource) drop(fetches kgo.Fetches) {
	fetches.EachRecord(func(r *kgo.Record) { r.Ack(kgo.AckRelease) })
}

// fill fills b with what is to be handed out; false where nothing is.
func (s *ShareSource) fill(b *record.Batch) bool {
	if len(s.queue) == 0 {
		return false
	}
	l := s.queue[0]
	b.Origin, b.Arrived = l.origin, time.Now().UnixNano()
	from, room := l.handed, cap(b.Data)
	for ; l.handed < len(l.records); l.handed++ {
		r := l.records[l.handed]
		if room -= sizeOf(r); room < 0 && l.handed > from {
			break
		}
		addRecord(b, r, s.cfg.MaxRecord)
		b.Next = r.Offset + 1
	}
	for i, r := range l.records[from:l.handed] {
		count := kgo.RecordHeader{Key: deliveriesHeader, Value: fmt.Append(nil, r.DeliveryCount())}
		r.Headers = append(r.Headers, count)
		addKey(b, &b.Recs[i], r)
	}
	if l.handed == len(l.records) {
		s.queue = s.queue[1:]
		b.AtEnd = true
	}
	b.Prompt = len(s.queue) == 0 // the next round waits for this one
	return true
}

// Settle has a record of the round not accepted when it is passed: released, so
// that it is delivered again, or rejected for good.
func (s *ShareSource) Settle(topic string, partition int32, offset int64, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.round[part{topic, partition}]
	if l == nil {
		return
	}
	if l.verdict == nil {
		l.verdict = map[int64]kgo.AckStatus{}
	}
	l.verdict[offset] = kgo.AckReject
	if again {
		l.verdict[offset] = kgo.AckRelease
	}
}

// Commit tells the brokers what became of the records below the positions.
func (s *ShareSource) Commit(ctx context.Context, at []stream.Position) error {
	s.mu.Lock()
	for _, p := range at {
		if l := s.round[part{p.Source, p.Partition}]; l != nil {
			s.open -= l.tell(p.Next)
		}
	}
	open := s.open
	s.mu.Unlock()
	if err := s.client.FlushAcks(ctx); err != nil {
		return s.cfg.explain(err, s.cfg.Group)
	}
	if open == 0 {
		signal(s.over)
	}
	return nil
}

// tell acknowledges the records below an offset, and returns how many those were.
func (l *lease) tell(next int64) (n int) {
	for ; l.told < l.handed && l.records[l.told].Offset < next; l.told++ {
		r := l.records[l.told]
		status, ok := l.verdict[r.Offset]
		if !ok {
			status = kgo.AckAccept
		}
		r.Ack(status)
		n++
	}
	return n
}

// Pause does nothing: nothing is read ahead.
func (*ShareSource) Pause(*record.Origin, bool) {}

// Metrics returns the client's own metrics.
func (s *ShareSource) Metrics() prometheus.Collector { return s.metrics }

// releaseWithin is how long Close tries to give back what is left.
const releaseWithin = 5 * time.Second

// Close releases what is left of the round, and leaves the group.
func (s *ShareSource) Close() error {
	s.stop()
	s.mu.Lock()
	for _, l := range s.round {
		for _, r := range l.records[l.told:] {
			r.Ack(kgo.AckRelease)
		}
		l.told = len(l.records)
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
	defer cancel()
	err := s.client.FlushAcks(ctx)
	s.client.Close()
	if err != nil {
		return fmt.Errorf("share group %q: giving records of %s back: %w", s.cfg.Group,
			strings.Join(s.cfg.Topics, ","), err)
	}
	return nil
}
