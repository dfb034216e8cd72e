package hot_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/logctl/logctl/pkg/hot"
	"github.com/logctl/logctl/pkg/record"
)

// give has the sample take n records of a partition, whose keys are made by key; ""
// is none.
func give(s *hot.Sample, partition int32, n int, key func(i int) string) {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "t", Topic: true, Partition: partition}
	for i := range n {
		rec := b.Add([]byte("x"))
		if k := key(i); k != "" {
			rec.Flags |= record.HasKey
			rec.Key = record.AppendSpan(b, k)
		}
	}
	_ = s.Write(b.All())
}

// TestSkew: half of the records have one key. It is found however little was
// sampled of its partition, with its share of the topic and not of the sample.
func TestSkew(t *testing.T) {
	var s hot.Sample
	give(&s, 0, 600, func(i int) string { // of 6,000
		if i%6 < 5 {
			return "whale"
		}
		return fmt.Sprint("k", i)
	})
	for p := int32(1); p < 5; p++ {
		give(&s, p, 1000, func(i int) string { return fmt.Sprint("p", p, "-", i) })
	}
	parts := []hot.Partition{{Partition: 0, Records: 6000, Lag: 5}}
	for p := int32(1); p < 5; p++ {
		parts = append(parts, hot.Partition{Partition: p, Records: 1000})
	}
	r := s.Report(parts, 3)
	if p := r.Partitions[0]; !p.Hot || math.Abs(p.Share-0.6) > 1e-9 || math.Abs(p.Times-3) > 1e-9 || p.Lag != 5 {
		t.Errorf("%+v", p)
	}
	if r.Partitions[1].Hot || r.Sampled != 4600 || len(r.Keys) != 3 {
		t.Errorf("%+v", r)
	}
	if k := r.Keys[0]; *k.Key != "whale" || math.Abs(k.Share-0.5) > 1e-9 || !k.Hot || k.Salt != 3 {
		t.Errorf("%+v", k)
	}
	if r.Keys[1].Hot || r.Keys[1].Salt != 0 {
		t.Errorf("%+v", r.Keys[1])
	}
}

func TestNothingIsHot(t *testing.T) {
	var s hot.Sample
	give(&s, 0, 100, func(int) string { return "only" })
	if r := s.Report([]hot.Partition{{Records: 100}}, 3); r.Partitions[0].Hot || r.Keys[0].Hot {
		t.Errorf("one partition cannot be relieved: %+v", r)
	}
	if r := s.Report([]hot.Partition{{}, {Partition: 1}}, 3); len(r.Keys) != 0 || r.Partitions[0].Hot {
		t.Errorf("nothing is there: %+v", r)
	}
	r := s.Report([]hot.Partition{{Records: 100}, {Partition: 1, Records: 300}}, 3)
	if len(r.Keys) != 1 || r.Keys[0].Share != 0.25 || r.Sampled != 100 {
		t.Errorf("nothing is known of a partition: %+v", r)
	}
	s = hot.Sample{}
	give(&s, 0, 10, func(int) string { return "" })
	give(&s, 1, 10, func(int) string { return "\xff" })
	r = s.Report([]hot.Partition{{Records: 10}, {Partition: 1, Records: 10}}, 3)
	if len(r.Keys) != 1 || r.Keys[0].Key != nil || r.Keys[0].Base64 != "/w==" || r.Keys[0].Hot {
		t.Errorf("%+v", r)
	}
}
