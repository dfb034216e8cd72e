package broker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/broker"
)

// fill writes batches of one record each to a topic of one partition.
func fill(t *testing.T, addr string, batches, size int) {
	t.Helper()
	cl := client(t, addr, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(0))
	for range batches {
		rec := &kgo.Record{Topic: "logs", Value: bytes.Repeat([]byte{'x'}, size)}
		if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// ask sends a fetch for all there is, and returns how large the answer is, 0 where there is
// none. No more of it is taken.
func ask(t *testing.T, addr string) (net.Conn, int) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(11)
	req.MaxBytes, req.SessionEpoch = 50<<20, -1
	part := kmsg.NewFetchRequestTopicPartition()
	part.PartitionMaxBytes = 50 << 20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.Partitions = "logs", append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 42)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return conn, 0
	}
	return conn, int(binary.BigEndian.Uint32(head))
}

// gone waits until no connection fetches any more.
func gone(t *testing.T, b *broker.Broker) {
	t.Helper()
	for b.Readers() > 0 {
		if t.Context().Err() != nil {
			t.Fatal("a connection is still there")
		}
		time.Sleep(time.Millisecond)
	}
}

// Clients that ask for much and take nothing share what memory there is for them; each
// gets a batch, and others read on.
func TestAnswersHaveABound(t *testing.T) {
	const batches, size, clients = 240, 100_000, 60
	b := start(t, broker.Config{Partitions: 1})
	fill(t, b.Addrs()[0], batches, size)
	var conns []net.Conn
	all := 0
	for n := range clients {
		conn, answer := ask(t, b.Addrs()[0])
		conns = append(conns, conn)
		if answer < size || answer > 8<<20 || answer > 32<<20/(n+1)+1000 {
			t.Errorf("answer %d has %d bytes", n+1, answer)
		}
		all += answer
	}
	if all > 160<<20 {
		t.Errorf("the answers have %d bytes in all", all)
	}
	reader := client(t, b.Addrs()[0], kgo.ConsumeTopics("logs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for read := 0; read < batches; {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		read += fetches.NumRecords()
	}
	reader.Close()
	for _, conn := range conns {
		_ = conn.Close()
	}
	gone(t, b)
	if _, answer := ask(t, b.Addrs()[0]); answer < 8_000_000 {
		t.Errorf("an answer to the only client has %d bytes", answer)
	}
}

// A batch is sent even where it is larger than the answers may be.
func TestBatchLargerThanAnswers(t *testing.T) {
	const batches, size = 3, 900_000
	b := start(t, broker.Config{Partitions: 1})
	fill(t, b.Addrs()[0], batches, size)
	for range 50 {
		if _, answer := ask(t, b.Addrs()[0]); answer < size {
			t.Fatalf("an answer has %d bytes", answer)
		}
	}
	reader := client(t, b.Addrs()[0], kgo.ConsumeTopics("logs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for read := 0; read < batches; {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		read += fetches.NumRecords()
	}
}

// Who takes nothing of an answer for long is hung up on.
func TestReaderThatStands(t *testing.T) {
	cfg := broker.Config{Partitions: 1}
	cfg.Stands(10 * time.Millisecond)
	b := start(t, cfg)
	fill(t, b.Addrs()[0], 90, 100_000)
	for answer := 0; answer == 0; { // on a machine that stands still for so long there may be none
		_, answer = ask(t, b.Addrs()[0])
	}
	gone(t, b)
}
