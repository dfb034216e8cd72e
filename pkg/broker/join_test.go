package broker_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/broker"
)

// session is the shortest that the broker allows.
const session = 6 * time.Second

// TestDeadWhileJoining: a client that dies while it waits to be told of its group
// leaves it when its session is over, and the other has all partitions again.
func TestDeadWhileJoining(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	addr := b.Addrs()[0]
	stays := client(t, addr, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("logs"), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.SessionTimeout(session), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll())
	produce(t, stays, "first")
	stays.PollFetches(t.Context()) // a rebalance waits for this member until AllowRebalance

	conns := make(chan net.Conn, 8)
	dies := client(t, addr, kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, host)
		conns <- conn
		return conn, err
	}))
	join(t, dies)
	adm := kadm.NewClient(client(t, addr))
	within(t, session, "the group waits for its members", func() bool {
		return describe(t, adm).State == "PreparingRebalance"
	})
	dies.Close()
	for len(conns) > 0 {
		_ = (<-conns).Close() // closed before, or not
	}
	stays.AllowRebalance()
	within(t, 3*session, "the dead member has left", func() bool {
		g := describe(t, adm)
		return g.State == "Stable" && len(g.Members) == 1
	})
}

// join asks to join the group g, and does not wait for the answer.
func join(t *testing.T, cl *kgo.Client) {
	t.Helper()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 3, []string{"logs"}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "cooperative-sticky", meta.AppendTo(nil)
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType = "g", "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(session.Milliseconds()), 60_000
	req.Protocols = append(req.Protocols, protocol)
	resp, err := req.RequestWith(t.Context(), cl)
	if err != nil {
		t.Fatal(err)
	}
	req.MemberID = resp.MemberID // given to those that come without
	go func() { _, _ = req.RequestWith(t.Context(), cl) }()
}

func describe(t *testing.T, adm *kadm.Client) kadm.DescribedGroup {
	t.Helper()
	groups, err := adm.DescribeGroups(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	return groups["g"]
}

func within(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in %v it did not come to this: %s", d, what)
		}
	}
}
