package kafka

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// javaMurmur2 is org.apache.kafka.common.utils.Utils.murmur2, written from the
// Java source with Java's int and its unsigned shift.
func javaMurmur2(data []byte) int32 {
	const m, r = int32(0x5bd1e995), 24
	seed := uint32(0x9747b28c)
	length := int32(len(data))
	h := int32(seed) ^ length
	shift := func(x int32, n uint) int32 { return int32(uint32(x) >> n) }
	for i := range length / 4 {
		i4 := i * 4
		k := int32(data[i4]) + int32(data[i4+1])<<8 + int32(data[i4+2])<<16 + int32(data[i4+3])<<24
		k *= m
		k ^= shift(k, r)
		k *= m
		h *= m
		h ^= k
	}
	tail := length &^ 3
	switch length % 4 {
	case 3:
		h ^= int32(data[tail+2]) << 16
		fallthrough
	case 2:
		h ^= int32(data[tail+1]) << 8
		fallthrough
	case 1:
		h ^= int32(data[tail])
		h *= m
	}
	h ^= shift(h, 13)
	h *= m
	h ^= shift(h, 15)
	return h
}

// The vectors of Apache Kafka's UtilsTest.testMurmur2.
var javaVectors = map[string]int32{
	"21":                         -973932308,
	"foobar":                     -790332482,
	"a-little-bit-long-string":   -985981536,
	"a-little-bit-longer-string": -1486304829,
	"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
	"abc": 479470107,
}

func TestMurmur2IsJavas(t *testing.T) {
	for key, want := range javaVectors {
		if got := javaMurmur2([]byte(key)); got != want {
			t.Errorf("the test's own murmur2(%q) = %d, Kafka's tests say %d", key, got, want)
		}
	}
	p, _, err := parsePartitioner("", stickyBytes)
	if err != nil {
		t.Fatal(err)
	}
	topic := p.ForTopic("t").(kgo.TopicBackupPartitioner)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		key := make([]byte, i%40)
		for k := range key {
			key[k] = byte(rng.IntN(256))
		}
		n := 1 + rng.IntN(100)
		want := int(javaMurmur2(key)&0x7fffffff) % n // Utils.toPositive
		if got := topic.PartitionByBackup(&kgo.Record{Key: key}, n, nil); got != want {
			t.Fatalf("key %x of %d partitions: partition %d, Java's is %d", key, n, got, want)
		}
	}
}

func TestSaltSpreadsOneKey(t *testing.T) {
	p, _, err := parsePartitioner("salt:hot=key=3", stickyBytes)
	if err != nil {
		t.Fatal(err)
	}
	topic := p.ForTopic("t")
	seen := map[int]int{}
	for range 300 {
		seen[topic.Partition(&kgo.Record{Key: []byte("hot=key")}, 12)]++
	}
	if len(seen) != 3 {
		t.Errorf("the hot key is in partitions %v, want 3 of them", seen)
	}
	for p, n := range seen {
		if n != 100 {
			t.Errorf("partition %d got %d records, want 100", p, n)
		}
	}
	want := int(javaMurmur2([]byte("cold"))&0x7fffffff) % 12
	for range 10 {
		if got := topic.Partition(&kgo.Record{Key: []byte("cold")}, 12); got != want {
			t.Errorf("another key went to %d, want %d", got, want)
		}
	}
}

func TestPartitionerNames(t *testing.T) {
	for _, bad := range []string{"murmur", "salt:", "salt:x", "salt:=3", "salt:a=0", "partition:", "partition:-1"} {
		if _, _, err := parsePartitioner(bad, stickyBytes); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, n, err := parsePartitioner("partition:7", stickyBytes); n != 7 || err != nil {
		t.Errorf("partition:7 is %d, %v", n, err)
	}
}
