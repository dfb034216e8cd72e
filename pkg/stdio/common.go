package stdio

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// common is what sources share that were opened together: there may be very many.
type common struct {
	Options
	begins   atomic.Pointer[beginning] // the last that was found; most are alike
	dirs     directories
	at, from []stream.Position // what Seek was given, and the same in order of partitions
}

func newCommon(opt Options) *common { return &common{Options: opt.withDefaults()} }

// once returns the like of c for what is not followed.
func (c *common) once() *common {
	opt := c.Options
	opt.Follow = false
	return newCommon(opt)
}

// A glance is what was found of a file when it was last opened.
type glance struct {
	id        identity
	partition int32
	first     uint64 // record.Origin.Begins
	sample    uint64 // checksum of the first bytes
	begins    *beginning
}

// A beginning is what the format has made of the first bytes of a stream.
type beginning struct {
	format, header string
	skip           int
}

// beginning returns what the format makes of the first bytes, which are looked through
// once, however often a file is opened.
func (s *Source) beginning(sample []byte) *beginning {
	sum := xxh3.Hash(sample)
	if s.found.begins != nil && s.found.sample == sum {
		return s.found.begins
	}
	var o record.Origin
	skip := s.opt.Format.Begin(sample, &o)
	b := &beginning{o.Format, o.Header, skip}
	if last := s.opt.begins.Load(); last != nil && *last == *b {
		b = last
	} else {
		s.opt.begins.Store(b)
	}
	s.found.sample, s.found.begins = sum, b
	return b
}

// seek takes in where earlier runs ended: of all its sources the same.
func (c *common) seek(at []stream.Position) {
	if len(at) != len(c.at) || len(at) > 0 && &at[0] != &c.at[0] {
		c.at, c.from = at, slices.SortedFunc(slices.Values(at), byPartition)
	}
}

func byPartition(a, b stream.Position) int { return cmp.Compare(a.Partition, b.Partition) }

// endsIn returns where earlier runs ended in a partition.
func (c *common) endsIn(partition int32) []stream.Position {
	begin, _ := slices.BinarySearchFunc(c.from, stream.Position{Partition: partition}, byPartition)
	end := begin
	for end < len(c.from) && c.from[end].Partition == partition {
		end++
	}
	return c.from[begin:end]
}
