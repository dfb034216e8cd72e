package kafka_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// xerial frames blocks of snappy, as producers in Java do.
type xerial struct{}

func (xerial) Compress(_ *bytes.Buffer, src []byte, _ ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	out := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for piece := range slices.Chunk(src, 32<<10) {
		packed := s2.EncodeSnappy(nil, piece)
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(packed))), packed...)
	}
	return out, kgo.CodecSnappy
}

var packers = map[string]kgo.Compressor{
	"gzip":   packer(kgo.GzipCompression()),
	"snappy": packer(kgo.SnappyCompression()),
	"xerial": xerial{},
	"lz4":    packer(kgo.Lz4Compression()),
	"zstd":   packer(kgo.ZstdCompression()),
}

func packer(c kgo.CompressionCodec) kgo.Compressor {
	pack, err := kgo.DefaultCompressor(c)
	if err != nil {
		panic(err)
	}
	return pack
}

// batches appends batches to a partition of a topic: of each, how long its values are. A
// client would choose itself what comes into one batch.
func batches(t *testing.T, cfg kafka.Config, pack kgo.Compressor, partition int32, sizes ...[]int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.MaxVersions(kversion.V3_0_0()),
		kgo.BrokerMaxWriteBytes(128<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, batch := range sizes {
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = -1, 10_000
		topic := kmsg.NewProduceRequestTopic()
		topic.Topic = "t"
		part := kmsg.NewProduceRequestTopicPartition()
		part.Partition, part.Records = partition, encode(batch, pack)
		topic.Partitions = append(topic.Partitions, part)
		req.Topics = append(req.Topics, topic)
		resp, err := req.RequestWith(t.Context(), client)
		if err == nil {
			err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// encode returns a batch of values of so many bytes.
func encode(sizes []int, pack kgo.Compressor) []byte {
	var raw []byte
	for i, n := range sizes {
		r := kmsg.Record{OffsetDelta: int32(i), Value: bytes.Repeat([]byte("x"), n)}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // without that of the length, which is 0
		raw = r.AppendTo(raw)
	}
	packed, codec := pack.Compress(new(bytes.Buffer), raw)
	now := time.Now().UnixMilli()
	b := kmsg.RecordBatch{
		Magic: 2, Attributes: int16(codec), LastOffsetDelta: int32(len(sizes) - 1), FirstTimestamp: now, MaxTimestamp: now,
		PartitionLeaderEpoch: -1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: int32(len(sizes)), Records: packed,
	}
	out := b.AppendTo(nil)
	binary.BigEndian.PutUint32(out[8:], uint32(len(out)-12))
	binary.BigEndian.PutUint32(out[17:], crc32.Checksum(out[21:], crc32.MakeTable(crc32.Castagnoli)))
	return out
}

// lengths reads to the end. It returns of each partition the offsets of its records with
// the lengths of their values, and of bad ones why.
func lengths(t *testing.T, s *kafka.Source, read ...*atomic.Int64) map[int32]string {
	t.Helper()
	got := map[int32]string{}
	each(t, s, func(b *record.Batch) {
		for _, n := range read {
			n.Add(int64(len(b.Recs)))
		}
		faults := b.Faults
		for _, r := range b.Recs {
			line := fmt.Sprintf("%d: %d", r.Offset, r.Value.Len)
			if r.Flags&record.Bad != 0 {
				line += " " + faults[0].Reason
				if faults = faults[1:]; r.Flags&record.Truncated == 0 {
					t.Errorf("%s: it is not said that this is the first part", line)
				}
			}
			got[b.Origin.Partition] += line + "\n"
		}
	})
	return got
}

// each reads to the end.
func each(t *testing.T, s stream.Source, do func(*record.Batch)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		b := record.NewBatch()
		b.Data = make([]byte, 0, 64<<10)
		err := s.Read(ctx, b)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		do(b)
		if b.Barrier != nil {
			b.Barrier(nil)
		}
	}
}

// TestBatchesThatAreTooLarge: what takes too much when it is unpacked is one bad record,
// whatever it is packed with, and reading goes on behind it.
func TestBatchesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	const most = 2 << 20
	for name, pack := range packers {
		for _, group := range []string{"", "g"} {
			cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
			batches(t, cfg, pack, 0, []int{1, 2}, []int{most / 2, 3, most / 2}, []int{4}, []int{most + 1}, []int{5})
			var notes []string
			src := openSource(t, kafka.SourceConfig{
				Config: cfg, Topics: []string{"t"}, Group: group, Stop: stop(t, "end"), Unpacked: most,
				Note: func(s string) { notes = append(notes, s) },
			})
			got := lengths(t, src)[0]
			want := "0: 1\n1: 2\n" +
				"4: 0 the batch of offsets 2 to 4 takes more than 2.1 MB when it is unpacked\n" +
				"5: 4\n" +
				"6: 0 the batch of offsets 6 to 6 takes more than 2.1 MB when it is unpacked\n" +
				"7: 5\n"
			if got != want {
				t.Errorf("%s, group %q: read\n%swant\n%s", name, group, got, want)
			}
			if len(notes) != 1 || !strings.Contains(notes[0], `topic "t", partition 0: the batch of offsets 2 to 4`) {
				t.Errorf("%s, group %q: said %q", name, group, notes)
			}
		}
	}
}

// TestBatchThatIsTooLargeAndTheStop: where reading ends within such a batch, its place is
// the last one that is read.
func TestBatchThatIsTooLargeAndTheStop(t *testing.T) {
	t.Parallel()
	const most = 2 << 20
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	batches(t, cfg, packers["zstd"], 0, []int{1}, []int{most, 2, 3})
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "+3"), Unpacked: most})
	want := "0: 1\n2: 0 the batch of offsets 1 to 2 takes more than 2.1 MB when it is unpacked\n"
	if got := lengths(t, src)[0]; got != want {
		t.Errorf("read\n%swant\n%s", got, want)
	}
}

// TestUnpacksALittleAtATime: batches that take much when they are unpacked are read one
// behind the other, every one, though they come in one answer.
func TestUnpacksALittleAtATime(t *testing.T) {
	t.Parallel()
	for name, pack := range packers {
		cfg, _ := cluster(t, kfake.SeedTopics(3, "t"))
		want := map[int32]string{}
		for n := range int32(3) {
			var sizes [][]int
			for i := range 10 {
				sizes = append(sizes, []int{1<<20 + i})
				want[n] += fmt.Sprintf("%d: %d\n", i, 1<<20+i)
			}
			batches(t, cfg, pack, n, sizes...)
		}
		var unpacked, most, read atomic.Int64
		src := openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end"), Unpacked: 2 << 20,
			Yield: func() { most.Store(max(most.Load(), unpacked.Add(1)-read.Load())) },
		})
		got := lengths(t, src, &read)
		for n, want := range want {
			if got[n] != want {
				t.Errorf("%s, partition %d: read\n%swant\n%s", name, n, got[n], want)
			}
		}
		// Four of an answer at most, of which two are taken and one waits: all 30 fit into one.
		if most.Load() > 16 {
			t.Errorf("%s: %d batches were unpacked at a time", name, most.Load())
		}
	}
}

// TestValuesThatAreTooLong: they are bad, and their first parts are kept.
func TestValuesThatAreTooLong(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	batches(t, cfg, packers["snappy"], 0, []int{100, 101, 1}, []int{200_000, 2})
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end"), MaxRecord: 100})
	want := "0: 100\n1: 100 longer than 100 bytes, the greatest size of a record\n2: 1\n" +
		"3: 100 longer than 100 bytes, the greatest size of a record\n4: 2\n"
	if got := lengths(t, src)[0]; got != want {
		t.Errorf("read\n%swant\n%s", got, want)
	}
}

// TestShareOfBatchesThatAreTooLarge: a share group takes values that are too long as bad;
// at a batch that is too large it ends, and says which.
func TestShareOfBatchesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	batches(t, cfg, packers["zstd"], 0, []int{100, 101})
	src, err := kafka.OpenShare(t.Context(), kafka.ShareConfig{
		Config: cfg, Topics: []string{"t"}, Group: "g", MaxRecord: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	b := record.NewBatch()
	b.Data = make([]byte, 0, 1000)
	if err := src.Read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if len(b.Recs) != 2 || len(b.Faults) != 1 || b.Faults[0].Row != 1 || b.Recs[1].Value.Len != 100 {
		t.Errorf("records %v with faults %v", b.Recs, b.Faults)
	}
	batches(t, cfg, packers["zstd"], 0, []int{65 << 20})
	err = src.Commit(t.Context(), []stream.Position{{Source: "t", Next: 2}})
	if err == nil {
		err = src.Read(t.Context(), record.NewBatch())
	}
	want := `topic "t", partition 0: the batch of offsets 2 to 2 takes more than 67 MB`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v", err)
	}
}
