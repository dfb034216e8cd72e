package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
)

// kafkaOutput says how records are produced. Commands that have no such flags
// take the defaults.
type kafkaOutput struct {
	acks        string
	codec       string
	batchBytes  int64
	linger      string
	buffer      int64
	maxBlock    time.Duration
	retries     int
	timeout     time.Duration
	partitioner string
	partition   int
	headers     []string
	tombstone   bool
	keepTime    bool
	txn         string

	marks bool // see package shuffle
}

func (f *kafkaOutput) add(fs *pflag.FlagSet) {
	f.acks, f.codec = kafka.Acks[0], "snappy"
	choiceVar(fs, &f.acks, "acks", kafka.Acks, "wait for `N` replicas: all (idempotent), 1 or 0")
	choiceVarP(fs, &f.codec, "compression", "z", kafka.Codecs, "`CODEC`: none, gzip, snappy, lz4 or zstd")
	sizeVar(fs, &f.batchBytes, "batch-bytes", 0, "greatest size of a batch (0: what the topic allows)")
	fs.StringVar(&f.linger, "linger", "auto",
		"how long a batch waits for more: a `DURATION`, or auto (10ms while much comes, 50ms while little does)")
	sizeVar(fs, &f.buffer, "buffer", 32<<20, "bytes that may be in flight")
	durationVar(fs, &f.maxBlock, "max-block", 0, "fail when the buffer stays full for so long (0: --timeout)")
	fs.IntVar(&f.retries, "retries", 0, "how often a batch is sent at most (0: as often as --timeout allows)")
	durationVar(fs, &f.timeout, "timeout", 30*time.Second, "how long a record may wait to be acknowledged")
	fs.StringVar(&f.partitioner, "partitioner", "murmur2",
		"`HOW` partitions are chosen: murmur2 (by key, as Java does), sticky, "+
			"round-robin, or salt:KEY=N (as murmur2, with the records of KEY over N partitions)")
	fs.IntVarP(&f.partition, "partition", "p", -1, "send everything to partition `N`")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "a header of every record: `KEY=VALUE` (repeatable)")
	fs.BoolVar(&f.tombstone, "tombstone", false, "an empty value is a tombstone (null)")
	fs.BoolVar(&f.keepTime, "keep-time", false, "records keep their event time instead of now")
	fs.StringVar(&f.txn, "txn", "", "each batch of input is one transaction of the producer `ID`")
}

// leastBatch is what Kafka's own bookkeeping leaves some room in.
const leastBatch = 512

// config returns the producer of a topic.
func (f *kafkaOutput) config(topic string, conn kafka.Config) (kafka.SinkConfig, error) {
	c := kafka.SinkConfig{
		Config: conn, Topic: topic, Acks: f.acks, Codec: f.codec, BatchBytes: int(f.batchBytes), Buffer: f.buffer,
		MaxBlock: f.maxBlock, Retries: f.retries, Timeout: f.timeout, Partitioner: f.partitioner,
		Tombstones: f.tombstone, KeepTime: f.keepTime, Txn: f.txn, Marks: f.marks,
	}
	var err error
	if c.Linger, err = parseLinger(f.linger); err != nil {
		return c, err
	}
	switch {
	case f.partition < -1:
		return c, fault.Usagef("partitions are numbered from 0", "--partition %d: there is no such partition", f.partition)
	case f.retries < 0:
		return c, fault.Usagef("", "--retries %d: want 0, which is as many as --timeout allows, or more", f.retries)
	case f.batchBytes != 0 && f.batchBytes < leastBatch:
		return c, fault.Usagef("leave it out: a batch is as large as the topic allows",
			"--batch-bytes %d: want at least %d", f.batchBytes, leastBatch)
	}
	if f.partitioner != "" && f.partition >= 0 {
		c.Partitioner = fmt.Sprintf("partition:%d", f.partition)
	}
	for _, h := range f.headers {
		key, value, ok := strings.Cut(h, "=")
		if !ok || key == "" {
			return c, fault.Usagef("as in --header source=web", "--header %q: want KEY=VALUE", h)
		}
		c.Headers = append(c.Headers, kafka.Header{Key: key, Value: []byte(value)})
	}
	return c, nil
}

// parseLinger reads how long a batch waits for more, as kafka.SinkConfig has it.
func parseLinger(text string) (time.Duration, error) {
	if text == "" || text == "auto" {
		return 0, nil
	}
	d, err := human.ParseDuration(text)
	if err != nil {
		return 0, fault.Usagef("as in --linger 20ms", "--linger: %w", err)
	}
	if d < 0 {
		return 0, fault.Usagef("as in --linger 20ms or auto", "--linger %s: want no less than nothing", text)
	}
	if d == 0 {
		return -1, nil
	}
	return d, nil
}
