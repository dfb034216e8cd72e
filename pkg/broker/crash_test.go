package broker_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/broker"
)

// crashDir, where it is set, makes this test binary a broker over that
// directory, for its parent to kill.
const crashDir = "TEST_BROKER_DATA"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		b, err := broker.Start(context.Background(), broker.Config{Addr: ":0", Data: dir, Fsync: true, Partitions: 2})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(b.Addrs()[0])
		select {}
	}
	os.Exit(m.Run())
}

// child starts a broker in a process of its own.
func child(t *testing.T, dir string) (proc *exec.Cmd, addr string) {
	t.Helper()
	proc = exec.CommandContext(t.Context(), os.Args[0])
	proc.Env = append(os.Environ(), crashDir+"="+dir)
	proc.Stderr = os.Stderr
	out, err := proc.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the broker did not start")
	}
	return proc, lines.Text()
}

func TestKilledBrokerKeepsAcknowledgedRecords(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]bool{}
	for round := range 3 {
		proc, addr := child(t, dir)
		for _, v := range produceUntilKilled(t, proc, addr, round) {
			acked[v] = true
		}
	}
	b := start(t, broker.Config{Data: dir})
	read := map[string]bool{}
	end, err := kadm.NewClient(client(t, b.Addrs()[0])).ListEndOffsets(t.Context(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	stored := 0 // with those whose acknowledgement was lost
	end.Each(func(o kadm.ListedOffset) { stored += int(o.Offset) })
	for _, v := range readAll(t, b.Addrs()[0], stored) {
		read[v] = true
	}
	for v := range acked {
		if !read[v] {
			t.Fatalf("record %q was acknowledged and is lost (%d acknowledged, %d read)", v, len(acked), len(read))
		}
	}
	t.Logf("%d acknowledged records survived 3 kills", len(acked))
}

// produceUntilKilled produces to a broker that it kills, and returns the
// values that were acknowledged.
func produceUntilKilled(t *testing.T, proc *exec.Cmd, addr string, round int) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cl := client(t, addr, kgo.ProducerLinger(0))
	produce(t, cl, fmt.Sprint(round)) // the topic is there
	time.AfterFunc(200*time.Millisecond, func() {
		_ = proc.Process.Kill()
		cancel()
	})
	var mu sync.Mutex
	acked := []string{fmt.Sprint(round)}
	for i := 0; ctx.Err() == nil; i++ {
		value := fmt.Sprintf("%d-%d", round, i)
		cl.Produce(ctx, &kgo.Record{Topic: "logs", Value: []byte(value)}, func(_ *kgo.Record, err error) {
			if err == nil {
				mu.Lock()
				acked = append(acked, value)
				mu.Unlock()
			}
		})
	}
	_ = proc.Wait() // killed
	cl.Close()
	mu.Lock()
	defer mu.Unlock()
	return acked
}
