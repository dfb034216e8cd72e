// Package load keeps records to the pace of a schedule: generated ones, of which
// it is the source, and those of any source on their way into a sink.
package load

import (
	"context"
	"io"
	"time"

	"github.com/logctl/logctl/pkg/generate"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

// Config says what to send and how fast.
type Config struct {
	Records  generate.Options
	Schedule limit.Schedule
	Limit    int64         // stop after so many records; 0 for no limit
	Duration time.Duration // stop after so long; 0 for no limit
}

// A Source sends generated records. It has one partition; a record's offset is
// its number.
type Source struct {
	cfg    Config
	bucket limit.Bucket
	gen    *generate.Generator
	origin *record.Origin
	start  time.Time
	sent   int64
	line   []byte
}

// Open returns a source whose clock starts with the first Read.
func Open(cfg Config) (*Source, error) {
	gen, err := generate.New(cfg.Records)
	if err != nil {
		return nil, err
	}
	origin := &record.Origin{Source: "generate:" + cfg.Records.Profile, Modified: record.NoTime, Format: "ndjson"}
	return &Source{
		cfg: cfg, gen: gen, origin: origin,
		bucket: limit.Bucket{Schedule: cfg.Schedule, Burst: limit.Endless},
	}, nil
}

// Read fills b with the records that are due, waiting for the first of them.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.start.IsZero() {
		s.start = time.Now()
	}
	n, err := s.due(ctx)
	if err != nil {
		return err
	}
	b.Origin, b.Arrived = s.origin, time.Now().UnixNano()
	for room := cap(b.Data); n > 0 && (len(b.Recs) == 0 || len(b.Data)+2*len(s.line) < room); n-- {
		line, at := s.gen.Append(s.line[:0])
		rec := b.Add(line)
		rec.Offset, rec.Stamp, rec.Time = s.sent, at, at
		s.line = line
		s.sent++
	}
	s.bucket.Take(int64(time.Since(s.start)), s.sent-b.Recs[0].Offset)
	b.Next = s.sent
	return nil
}

// due waits until at least one record is due and returns how many are.
func (s *Source) due(ctx context.Context) (int64, error) {
	for {
		elapsed := time.Since(s.start)
		if s.cfg.Limit > 0 && s.sent == s.cfg.Limit || s.cfg.Duration > 0 && elapsed >= s.cfg.Duration {
			return 0, io.EOF
		}
		n := s.bucket.Ready(int64(elapsed))
		if s.cfg.Limit > 0 {
			n = min(n, s.cfg.Limit-s.sent)
		}
		if n > 0 {
			return n, ctx.Err()
		}
		select {
		case <-time.After(max(s.bucket.Next(int64(elapsed)), pause)):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// pause is how long to wait when nothing is due: short beside what a person
// notices, long beside what a batch costs.
const pause = 5 * time.Millisecond
