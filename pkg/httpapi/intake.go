package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Defaults of an IntakeConfig.
const (
	DefaultMaxBody    = 16 << 20
	DefaultHold       = 64 << 20
	DefaultAckTimeout = 30 * time.Second
	DefaultPatience   = 5 * time.Second
)

// A Default is a field that is added to records that lack it.
type Default struct{ Field, Value string }

// IntakeConfig says how posted records are received. The zero value of a field is its
// default.
type IntakeConfig struct {
	Config
	MaxBody    int64         // of a request, by default 16 MiB
	MaxRecord  int           // of a record; 0 for no limit but that
	Hold       int64         // bytes of all requests together that are waiting, by default 64 MiB
	Early      bool          // requests are answered before their records are stored
	AckTimeout time.Duration // how long a request waits for that, by default 30 s
	Patience   time.Duration // how long a body may take, by default 5 s, and as much more as it has bytes for 64 KiB/s
	Fill       bool          // records get the id and the timestamp that they lack, and Defaults
	Defaults   []Default
	Refuse     bool // records that prove bad when they are parsed are kept nowhere: their requests are answered 400

	Bucket *limit.Bucket // one token a record; nil for no limit
	Wait   time.Duration // how long a request may wait for its tokens

	// Closed says that nothing is taken for now, why, and when to try again.
	// nil is always open.
	Closed func() (why string, retry time.Duration)
}

// An Intake is a stream.Source of records that are posted to it. It is one
// partition; a record's offset is its number.
//
// POST /, /api/v1/logs and /api/v1/logs/batch take a JSON object, several objects one
// after the other (NDJSON), or an array of objects. The answer is 202 with the ids when
// a Commit has covered all records of the request; its batches are Prompt. 400 means
// that the body is not JSON and names the place, 408 that it came too slowly, 413 that
// it is too large, 429 that records come too fast. 503 means that nothing is accepted
// for now, or that the records were not confirmed in time; in this case they may still
// be stored. Otherwise a request is accepted as a whole or not at all; only what proves bad
// when it is parsed, as no envelope, does not hold up the others: see IntakeConfig.Refuse.
type Intake struct {
	cfg    IntakeConfig
	srv    *Server
	origin *record.Origin
	posts  chan *post
	closed chan struct{} // nothing more is taken
	ended  chan struct{} // nothing more is stored
	once   [2]sync.Once  // for closing them
	takers sync.Pool
	held   atomic.Int64
	counts intakeCounts

	current *post // what Read is in the middle of
	offset  int64

	mu      sync.Mutex
	waiting []*post // handed on and not committed, in order
}

// A post is the records of a request on their way.
type post struct {
	text   []byte // the records, each with a newline behind it
	reply  []byte // what the request is answered with
	sizes  []int  // of each record, the newline included
	at     int    // in text
	next   int    // record
	end    int64  // offset behind its last record, once that is known
	n      int    // records in all
	known  int    // records of which Settle has said something
	lost   int    // those of them that are not stored
	bad    string // which record is bad, and why; the first one
	answer chan *refusal
}

// ListenIntake opens the address. Requests are answered once Serve is called.
func ListenIntake(ctx context.Context, cfg IntakeConfig) (*Intake, error) {
	setDefault(&cfg.MaxBody, DefaultMaxBody)
	setDefault(&cfg.Hold, DefaultHold)
	setDefault(&cfg.AckTimeout, DefaultAckTimeout)
	setDefault(&cfg.Patience, DefaultPatience)
	s := &Intake{
		cfg: cfg, posts: make(chan *post), closed: make(chan struct{}), ended: make(chan struct{}),
		origin: &record.Origin{Source: "http:" + cfg.Addr, Modified: record.NoTime, Format: "ndjson"},
	}
	s.takers.New = func() any { return newTaker(cfg) }
	cfg.Metrics = append(cfg.Metrics, s)
	var err error
	if s.srv, err = Listen(ctx, cfg.Config); err != nil {
		return nil, err
	}
	for _, path := range []string{"POST /{$}", "POST /api/v1/logs", "POST /api/v1/logs/batch"} {
		s.srv.Handle(path, http.HandlerFunc(s.take))
	}
	return s, nil
}

func setDefault[T int64 | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// URL returns the address on which the intake listens.
func (s *Intake) URL() string { return s.srv.URL() }

// Serve answers requests until Close. It returns nil after Close.
func (s *Intake) Serve() error { return s.srv.Serve() }

// Close stops listening. Requests that still wait are answered with 503.
func (s *Intake) Close() error {
	s.stop()
	s.once[1].Do(func() { close(s.ended) })
	return s.srv.Close(context.Background())
}

// stop takes nothing more.
func (s *Intake) stop() { s.once[0].Do(func() { close(s.closed) }) }

// Read fills b with posted records, waiting for the first of them.
func (s *Intake) Read(ctx context.Context, b *record.Batch) error {
	if s.current == nil {
		select {
		case p := <-s.posts:
			s.begin(p)
		case <-ctx.Done():
			s.stop()
			return ctx.Err()
		}
	}
	b.Origin, b.Arrived, b.Prompt = s.origin, time.Now().UnixNano(), !s.cfg.Early
	for s.fill(b) {
		select {
		case p := <-s.posts:
			s.begin(p)
			continue
		default:
			b.AtEnd = true
		}
		break
	}
	b.Next = s.offset
	return nil
}

// begin has the records of p handed on next.
func (s *Intake) begin(p *post) {
	p.n = len(p.sizes)
	p.end = s.offset + int64(p.n)
	s.current = p
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, p)
}

// fill copies records of the current post into b, at least one into an empty b,
// and reports whether that was the last of them.
func (s *Intake) fill(b *record.Batch) bool {
	p := s.current
	for ; p.next < len(p.sizes); p.next++ {
		n := p.sizes[p.next]
		if len(b.Recs) > 0 && len(b.Data)+n > cap(b.Data) {
			return false
		}
		rec := b.Add(p.text[p.at : p.at+n-1])
		rec.Offset = s.offset
		s.offset++
		p.at += n
	}
	s.held.Add(-int64(cap(p.text)))
	p.text, p.sizes, s.current = nil, nil, nil
	if s.cfg.Early {
		s.settle(p.end)
	}
	return true
}

// Commit answers the requests whose records are all below the position.
func (s *Intake) Commit(_ context.Context, at []stream.Position) error {
	for _, p := range at {
		s.settle(p.Next)
	}
	return nil
}

func (s *Intake) settle(next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.waiting) && s.waiting[n].end <= next {
		p := s.waiting[n]
		p.tell()
		n++
	}
	s.waiting = append(s.waiting[:0], s.waiting[n:]...)
}

// tell answers the request, once.
func (p *post) tell() {
	var no *refusal
	switch {
	case p.lost > 0:
		no = &refusal{
			code: http.StatusServiceUnavailable, retry: time.Second,
			Error: "records were dropped: they could not be stored and were not kept",
		}
	case p.bad != "":
		no = &refusal{code: http.StatusBadRequest, Error: p.bad}
	}
	select {
	case p.answer <- no:
	default:
	}
}

// Prepare notes which records do not get to a sink, once b is parsed and all filters have
// seen it: those that a filter took out, and bad ones that are no dead letters. Nobody
// else will say that there is nothing to wait for.
func (s *Intake) Prepare(b *record.Batch) {
	if b.Origin != s.origin {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Recs {
		if b.Recs[i].Flags&record.Filtered != 0 {
			s.settleOne(b.Recs[i].Offset, false)
		}
	}
	if !s.cfg.Refuse {
		return
	}
	for _, f := range b.Faults {
		s.refuse(b.Recs[f.Row].Offset, f.Reason)
	}
}

// refuse notes that a record is bad.
func (s *Intake) refuse(offset int64, why string) {
	if p := s.postOf(offset); p != nil {
		if p.bad == "" {
			p.bad = fmt.Sprintf("record %d of the body: %s", int64(p.n)-(p.end-offset)+1, why)
			if p.n > 1 {
				p.bad += "; the others are taken"
			}
		}
		s.settleOne(offset, false)
	}
}

// Settle says that records are stored, or if lost, that they never will be, whatever
// the committed position is. A request is answered when this is known for all of its
// records. Records of other sources are ignored.
func (s *Intake) Settle(b *record.Batch, lost bool) {
	if b.Origin != s.origin {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Recs {
		if b.Recs[i].Live() {
			s.settleOne(b.Recs[i].Offset, lost)
		}
	}
}

func (s *Intake) settleOne(offset int64, lost bool) {
	p := s.postOf(offset)
	if p == nil {
		return
	}
	p.known++
	if lost {
		p.lost++
	}
	if p.known == p.n {
		p.tell()
	}
}

// postOf returns the request that a record came with, or nil when that was answered.
func (s *Intake) postOf(offset int64) *post {
	k := sort.Search(len(s.waiting), func(k int) bool { return offset < s.waiting[k].end })
	if k == len(s.waiting) {
		return nil
	}
	return s.waiting[k]
}
