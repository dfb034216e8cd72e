package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// BenchmarkProduce sends lines of 200 bytes to a broker that drops them. The
// broker's work is in the figures: it runs in the same process.
func BenchmarkProduce(b *testing.B) {
	const line = 200
	for _, codec := range kafka.Codecs {
		b.Run(codec, func(b *testing.B) {
			cfg, _ := cluster(b, kfake.SeedTopics(4, "t"), kfake.BlackholeProduce())
			sink := openSink(b, kafka.SinkConfig{Config: cfg, Topic: "t", Codec: codec})
			pool := record.NewPool(16, 512<<10)
			block := logLines(line, 512<<10/line)
			send := func() int {
				batch, _ := pool.Get(context.Background())
				batch.Data = append(batch.Data, block...)
				for off := 0; off < len(block); off += line {
					batch.AddSpan(record.Span{Off: uint32(off), Len: line - 1})
				}
				if err := sink.Write(batch.All()); err != nil {
					b.Fatal(err)
				}
				batch.Release()
				return len(block) / line
			}
			send()
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			records := 0
			for b.Loop() {
				records += send()
			}
			if err := sink.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}

// logLines returns n lines of the given length that compress as logs do.
func logLines(length, n int) []byte {
	var out []byte
	for i := range n {
		line := fmt.Appendf(nil, `{"ts":"2026-01-31T12:%02d:%02d.%03dZ","level":"INFO","service":"svc-%d","status":%d,"latency_ms":%d,"message":"`,
			i/60%60, i%60, i*7919%1000, i*31%17, 200+i%5*100, i*i%4093)
		line = append(line, bytes.Repeat([]byte("request done "), 20)...)
		out = append(append(out, line[:length-1]...), '\n')
	}
	return out
}

// BenchmarkConsume reads from a broker that makes batches up.
func BenchmarkConsume(b *testing.B) {
	cfg, _ := cluster(b, kfake.SeedTopics(4, "t"), kfake.SyntheticFetch(kfake.SyntheticBatch{RecordBytes: 199}))
	src := openSource(b, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Uncommitted: true})
	pool := record.NewPool(1, 512<<10)
	var records, size int64
	b.ReportAllocs()
	for b.Loop() {
		batch, _ := pool.Get(context.Background())
		if err := src.Read(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		records += int64(len(batch.Recs))
		size += int64(len(batch.Data))
		batch.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
	b.ReportMetric(float64(size)/b.Elapsed().Seconds()/1e6, "MB/s")
	b.ReportMetric(float64(records)/float64(b.N), "records/op")
}
