// Package hot finds the partitions of a topic that have more than their share of its
// records, the keys that cause this, and the number of partitions over which to spread
// these keys.
package hot

import (
	"cmp"
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// tooMuch is how many times its fair share a partition may have before it is hot.
const tooMuch = 1.5

// keysEach is how many keys are looked at of each partition.
const keysEach = 100

// A Sample counts the keys of records of a topic. It is a stream.Sink.
type Sample struct {
	parts map[int32]*part
}

type part struct {
	records uint64
	keys    *sketch.Top
}

// Write counts the keys of records.
func (s *Sample) Write(rows record.Rows) error {
	if rows.Origin == nil {
		return nil
	}
	p := s.part(rows.Origin.Partition)
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		p.records++
		if rec.Flags&record.HasKey != 0 {
			key := rows.Bytes(rec.Key)
			p.keys.Add(key, xxh3.Hash(key))
		}
	}
	return nil
}

func (s *Sample) part(n int32) *part {
	p := s.parts[n]
	if p == nil {
		if s.parts == nil {
			s.parts = map[int32]*part{}
		}
		p = &part{keys: sketch.NewTop(keysEach)}
		s.parts[n] = p
	}
	return p
}

// A Partition is a partition and its share of the topic.
type Partition struct {
	Partition int32   `json:"partition"`
	Records   int64   `json:"records"`
	Lag       int64   `json:"lag"`
	Share     float64 `json:"share"` // of the records of the topic
	Times     float64 `json:"times"` // its fair share
	Hot       bool    `json:"hot"`
}

// A Key is a frequent key and its share of the topic, estimated from the sample.
type Key struct {
	Key    *string `json:"key,omitempty"`        // where it is UTF-8
	Base64 string  `json:"key_base64,omitempty"` // where it is not
	Share  float64 `json:"share"`                // of the records of the topic
	Hot    bool    `json:"hot"`                  // alone it is more than the fair share of a partition
	Salt   int     `json:"salt,omitempty"`       // over how many partitions to spread it, where it is hot
}

// A Report has the partitions and the frequent keys of a topic.
type Report struct {
	Sampled    uint64      `json:"sampled"`
	Partitions []Partition `json:"partitions"`
	Keys       []Key       `json:"keys"` // the most frequent ones
}

// Report returns the report of a topic, with at most n keys. all has the number,
// records and lag of its partitions. The sample of a partition is taken to represent
// all of it.
func (s *Sample) Report(all []Partition, n int) Report {
	r := Report{Partitions: slices.Clone(all), Keys: []Key{}}
	var total float64
	for _, p := range all {
		total += float64(p.Records)
	}
	if total == 0 {
		return r
	}
	width := float64(len(all))
	shares := map[string]float64{}
	for i := range r.Partitions {
		p := &r.Partitions[i]
		p.Share = float64(p.Records) / total
		p.Times = p.Share * width
		p.Hot = len(all) > 1 && p.Times > tooMuch
		seen := s.parts[p.Partition]
		if seen == nil { // it was empty, or its records have gone meanwhile
			continue
		}
		r.Sampled += seen.records
		for _, k := range seen.keys.Items(keysEach) {
			shares[string(k.Key)] += p.Share * float64(k.Count-k.Err) / float64(seen.records)
		}
	}
	r.Keys = frequent(shares, width, n)
	return r
}

// frequent returns the n keys with the greatest shares of a topic that is so wide.
func frequent(shares map[string]float64, width float64, n int) []Key {
	names := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	})
	list := []Key{}
	for _, name := range names[:min(n, len(names))] {
		k := Key{Share: shares[name]}
		if utf8.ValidString(name) {
			k.Key = &name
		} else {
			k.Base64 = base64.StdEncoding.EncodeToString([]byte(name))
		}
		if fair := k.Share * width; width > 1 && fair > 1 {
			k.Hot, k.Salt = true, int(math.Ceil(min(fair, width)))
		}
		list = append(list, k)
	}
	return list
}
