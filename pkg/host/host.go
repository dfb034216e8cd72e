// Package host is the door to the figures of this machine: a source of its processor,
// memory and disk use. They are read from /proc and /sys, where Linux has them. A
// figure that cannot be read is null, never a guess.
package host

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

// Config says how often to look, and for how long. The zero value of a field is
// its default.
type Config struct {
	Schedule limit.Schedule // how often: by default once a second
	Limit    int64          // end after so many records; 0 for no limit
	Duration time.Duration  // end after so long; 0 for no limit
	Note     func(string)   // takes what a person should know: which figures are unknown

	Root string // where proc, sys and the disk are; by default /
}

// Fields are the names of a record's fields, in order.
//
//	cpu_percent           of all processors, since the record before
//	cpu_user_percent      in programs, cpu_system_percent in the kernel, and
//	cpu_iowait_percent    idle for want of a disk
//	load1, load5, load15  processes that run or wait
//	memory_*              available is what programs can have without swapping
//	disk_*                space of the file system of /; per_s are bytes read and
//	                      written by all disks since the record before
var Fields = []string{
	"timestamp", "host", "cpus", "cpu_percent", "cpu_user_percent", "cpu_system_percent", "cpu_iowait_percent",
	"load1", "load5", "load15",
	"memory_total_bytes", "memory_available_bytes", "memory_used_percent", "swap_total_bytes", "swap_used_bytes",
	"disk_total_bytes", "disk_available_bytes", "disk_used_percent", "disk_read_bytes_per_s", "disk_write_bytes_per_s",
}

// A Source reads a record of figures at each interval. It has one partition; a record's
// offset is its number.
type Source struct {
	cfg    Config
	bucket limit.Bucket
	origin *record.Origin
	name   string
	begun  time.Time
	last   sample
	sent   int64
	line   []byte
}

// Open returns a source whose clock starts with the first Read: the first record covers
// the time from then on.
func Open(cfg Config) *Source {
	if cfg.Root == "" {
		cfg.Root = "/"
	}
	if cfg.Schedule.Unlimited() {
		cfg.Schedule, _ = limit.ParseSchedule("1/s")
	}
	if cfg.Note == nil {
		cfg.Note = func(string) {}
	}
	s := &Source{cfg: cfg, bucket: limit.Bucket{Schedule: cfg.Schedule}}
	s.origin = &record.Origin{Source: "generate:host", Modified: record.NoTime, Format: "ndjson"}
	s.name, _ = os.Hostname() // empty where it is unknown, and then null
	return s
}

// Read fills b with the next record, when it is time.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.begun.IsZero() {
		s.begin()
	}
	if s.cfg.Limit > 0 && s.sent == s.cfg.Limit {
		return io.EOF
	}
	if err := s.wait(ctx); err != nil {
		return err
	}
	now := look(s.cfg.Root)
	s.line = appendRecord(s.line[:0], s.name, s.last, now)
	s.last = now
	rec := b.Add(s.line)
	rec.Offset, rec.Stamp, rec.Time = s.sent, now.at, now.at
	s.sent++
	b.Origin, b.Arrived, b.Next = s.origin, now.at, s.sent
	return nil
}

func (s *Source) begin() {
	s.begun, s.last = time.Now(), look(s.cfg.Root)
	s.bucket.Take(0, 1) // with the first look, there is nothing to tell yet
	if text := s.last.unknown(); text != "" {
		s.cfg.Note("unknown on this machine, and null in the records: " + text)
	}
}

// wait waits until the next look is due. It returns io.EOF where the time is over
// before, also if the machine stood still meanwhile and looks have become due.
func (s *Source) wait(ctx context.Context) error {
	for {
		elapsed := time.Since(s.begun)
		wait, ok := s.bucket.TakeWithin(int64(elapsed), 1, 0)
		if s.cfg.Duration > 0 && elapsed+wait > s.cfg.Duration {
			return io.EOF
		}
		if ok {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}
