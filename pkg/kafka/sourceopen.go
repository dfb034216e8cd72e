package kafka

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
)

// A SourceConfig says what a Source reads. Zero values are defaults.
type SourceConfig struct {
	Config
	Topics     []string // names, or one pattern if Pattern is set
	Pattern    bool     // Topics[0] is a regular expression
	Except     []string // topics that it leaves out
	Partitions []int32  // only these; not with a group

	Group      string        // "" reads all partitions without one
	Balancer   string        // cooperative-sticky (the default), sticky, range, roundrobin, kip848
	InstanceID string        // of a static member
	Session    time.Duration // a member that is silent for so long loses its partitions; default 8 s

	Uncommitted bool  // read records of open and aborted transactions too
	Start, Stop Bound // a group's committed offset and Seek win over Start
	Shuffled    *Shuffled
	Widths      *Widths // that the run relies on; nil for any
	Finishes    bool    // the end of a partition has consequences: see Source.groupIsDone
	Keeps       bool    // state belongs to what is read: Read fails with ErrAborted when another member may have it

	FetchBytes     int           // of one fetch; default 4 MiB, more over a long link
	PartitionBytes int           // of one fetch from one partition; default 512 KiB, half of it if compressed
	Unpacked       int           // of a batch, unpacked; a larger one is bad. Default 64 MiB, at least what a record needs
	MaxRecord      int           // of a value; a longer one is bad. 0 for no limit but that of a batch
	Timeout        time.Duration // how long brokers may be unreachable; default 1 min

	Note  func(string) // tells a person something; may be nil
	Yield func()       // lets others have the core, while much is unpacked; may be nil
}

// besideValue is what a record may take besides its value: for its key and its headers.
const besideValue = 1 << 20

// OpenSource returns a source whose topics exist. It reads nothing yet and has
// not joined its group.
func OpenSource(ctx context.Context, cfg SourceConfig) (*Source, error) {
	setDefault(&cfg.Session, 8*time.Second)
	setDefault(&cfg.Timeout, time.Minute)
	fixed := cfg.FetchBytes > 0
	if cfg.FetchBytes == 0 {
		cfg.FetchBytes = 4 << 20
	}
	if cfg.PartitionBytes == 0 {
		cfg.PartitionBytes = 512 << 10
	}
	cfg.Unpacked = max(cmp.Or(cfg.Unpacked, largestBatch), cfg.MaxRecord+besideValue)
	s := &Source{
		cfg: cfg, metrics: newMetrics("consume"), bytes: newBytePool(),
		portion: portion{
			fetch: cfg.FetchBytes, partition: cfg.PartitionBytes, fixed: fixed, brokers: map[int32]bool{},
		},
		seeks: map[part]int64{}, parts: map[part]*partition{}, ids: topicIDs{}, living: living{},
		want: make(chan struct{}, 1), wake: make(chan struct{}, 1), rush: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	client, err := cfg.open(ctx, kgo.RetryTimeout(askWithin), kgo.WithPools(s.bytes),
		kgo.MaxDecompressBatchBytes(cfg.Unpacked))
	if err != nil {
		return nil, err
	}
	s.base, s.admin, s.unpack = client, kadm.NewClient(client), newUnpacker(client, cfg.Unpacked)
	if !cfg.Pattern {
		if _, err := cfg.findTopics(ctx, s.admin, cfg.Topics); err != nil {
			client.Close()
			return nil, err
		}
	}
	if cfg.Group != "" {
		if err := cfg.checkKind(ctx, s.admin, cfg.Group, false); err != nil {
			client.Close()
			return nil, err
		}
	}
	return s, nil
}

// matches reports whether a topic is one of those of the pattern.
func (s *Source) matches(name string) bool {
	return s.pattern.MatchString(name) && !slices.Contains(s.cfg.Except, name)
}

// check refuses what cannot work.
func (s *Source) check() error {
	if len(s.cfg.Topics) == 0 {
		return fault.Usagef("as in kafka:app-logs", "no topic to read")
	}
	if s.cfg.Pattern {
		var err error
		if s.pattern, err = regexp.Compile(s.cfg.Topics[0]); err != nil {
			return fault.Usagef("RE2 syntax, as in ^app-.*", "topics %q: %w", s.cfg.Topics[0], err)
		}
	}
	if s.cfg.Group != "" && len(s.cfg.Partitions) > 0 {
		return fault.Usagef("leave one of them out",
			"a group shares out the partitions: it cannot be combined with chosen ones")
	}
	if _, err := balancer(s.cfg.Balancer); err != nil {
		return err
	}
	return s.cfg.Stop.checkStop(time.Now())
}
