package kafka_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// randomBatch fills a batch with records of any bytes; keys, values and
// headers may be empty, keys and values absent. It returns what is in it.
func randomBatch(rng *rand.Rand, b *record.Batch, n int) []rec {
	random := func(most int) []byte {
		p := make([]byte, rng.IntN(most+1))
		for i := range p {
			p[i] = byte(rng.IntN(256))
		}
		return p
	}
	for range n {
		r := b.Add(random(300))
		r.Time = int64(1_600_000_000_000+rng.IntN(1e9)) * 1e6
		if rng.IntN(10) == 0 {
			r.Flags |= record.Tombstone
			r.Value.Len = 0
		}
	}
	appendSpan := func(p []byte) record.Span {
		off := len(b.Data)
		b.Data = append(b.Data, p...)
		return record.Span{Off: uint32(off), Len: uint32(len(p))}
	}
	b.Origin = &record.Origin{Source: "test"}
	for i := range b.Recs {
		r := &b.Recs[i]
		if rng.IntN(3) > 0 {
			r.Flags |= record.HasKey
			r.Key = appendSpan(random(3))
		}
		r.Headers.Off = uint32(len(b.Headers))
		for range rng.IntN(3) {
			b.Headers = append(b.Headers, record.Header{Key: appendSpan(random(4)), Value: appendSpan(random(20))})
			r.Headers.Len++
		}
	}
	want := recs(b)
	for i := range want {
		want[i].Stamp, want[i].Offset = b.Recs[i].Time, 0
	}
	return want
}

// TestIdentity: what is produced is what is consumed, in order, for every
// codec, with and without transactions.
func TestIdentity(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.DataDir(t.TempDir()), kfake.SeedTopics(1, "none", "gzip", "snappy", "lz4", "zstd", "txn"))
	for i, topic := range append(kafka.Codecs, "txn") {
		t.Run(topic, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			sc := kafka.SinkConfig{Config: cfg, Topic: topic, Codec: topic, KeepTime: true}
			if topic == "txn" {
				sc.Codec, sc.Txn = "", "tid"
			}
			sink := openSink(t, sc)
			pool := record.NewPool(3, 64<<10)
			var want []rec
			for range 20 {
				b, err := pool.Get(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, randomBatch(rng, b, 1+rng.IntN(200))...)
				if err := sink.Write(b.All()); err != nil {
					t.Fatal(err)
				}
				b.Release()
			}
			if err := sink.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r := sink.Report(); r.Acked != int64(len(want)) || r.Failed != 0 || r.Latency.Count() == 0 {
				t.Errorf("report %+v, want %d acked", r, len(want))
			}
			src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{topic}, Stop: stop(t, "end")})
			got, _ := readAll(t, src)
			last := int64(-1)
			for i := range got[0] {
				if i > 0 && got[0][i].Offset <= last {
					t.Fatalf("offset %d comes after %d", got[0][i].Offset, last)
				}
				last, got[0][i].Offset = got[0][i].Offset, 0
			}
			if diff := cmp.Diff(want, got[0]); diff != "" {
				t.Errorf("%d records written, %d read (-want +got):\n%.2000s", len(want), len(got[0]), diff)
			}
		})
	}
}

// TestContiguous: the values of a batch stand behind one another, each with its
// newline, so that a sink can write them as they are.
func TestContiguous(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Headers: []kafka.Header{{Key: "k", Value: []byte("v")}}}),
		"one", "", "three")
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end")})
	pool := record.NewPool(1, 1<<10)
	for {
		b, _ := pool.Get(t.Context())
		if err := src.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if len(b.Recs) == 0 {
			b.Release()
			continue
		}
		last := b.Recs[len(b.Recs)-1].Value
		if got := b.Data[:last.End()+1]; !bytes.Equal(got, []byte("one\n\nthree\n")) {
			t.Errorf("values are %q", got)
		}
		if !b.AtEnd || b.Next != 3 {
			t.Errorf("AtEnd %v, Next %d; want true, 3", b.AtEnd, b.Next)
		}
		return
	}
}
