package kafka

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// queues are how many records wait of each partition.
type queues []int64

func (q *queues) Next() (int, int64) {
	last := len(*q) - 1
	n := (*q)[last]
	*q = (*q)[:last]
	return last, n
}

func (q *queues) Rem() int { return len(*q) }

// runs returns how many bytes go to one partition at a time, of records that come after
// one another in the given time.
func runs(t *testing.T, most, bytes int, each time.Duration) []int {
	t.Helper()
	now := time.Unix(1e9, 0)
	p := turning{keys: true, most: most, now: func() time.Time { return now }}.ForTopic("t").(kgo.TopicBackupPartitioner)
	var got []int
	at := -1
	r := &kgo.Record{Value: make([]byte, 1016)}
	for ; bytes > 0; bytes -= 1024 {
		others := queues{1, 1, 1, 1}
		if at >= 0 {
			others[at] = 1 << 60 // all that there is waits there: it is not chosen again
		}
		n := p.PartitionByBackup(r, 4, &others)
		if n != at {
			got = append(got, 0)
		}
		at = n
		got[len(got)-1] += 1024
		now = now.Add(each)
	}
	return got
}

func TestTurnsGrowWhileRecordsAreFast(t *testing.T) {
	const k = 1 << 10
	for _, c := range []struct {
		most int
		each time.Duration
		want []int
	}{
		{1024 * k, 9 * time.Microsecond, []int{64 * k, 128 * k, 256 * k, 512 * k, 1024 * k, 1024 * k}}, // 114 MB/s
		{1024 * k, 11 * time.Microsecond, []int{64 * k, 64 * k, 64 * k, 64 * k}},
		{1024 * k, time.Hour, []int{64 * k, 64 * k, 64 * k, 64 * k}},
		{stickyBytes, 0, []int{64 * k, 64 * k, 64 * k, 64 * k}},
		{16 * k, 0, []int{16 * k, 16 * k, 16 * k, 16 * k}},
	} {
		sum := 0
		for _, n := range c.want {
			sum += n
		}
		if got := runs(t, c.most, sum, c.each); !slices.Equal(got, c.want) {
			t.Errorf("at most %d, one in %v: runs of %d bytes, want %d", c.most, c.each, got, c.want)
		}
	}
}

// The partition that records are given may go away.
func TestTurnsToPartitionsThatAreThere(t *testing.T) {
	p := turning{most: stickyBytes, now: time.Now}.ForTopic("t").(kgo.TopicBackupPartitioner)
	for n := 64; n > 0; n-- {
		waiting := queues(make([]int64, n))
		if got := p.PartitionByBackup(&kgo.Record{}, n, &waiting); got < 0 || got >= n {
			t.Fatalf("of %d partitions it is %d", n, got)
		}
	}
}
