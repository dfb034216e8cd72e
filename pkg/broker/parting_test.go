package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/broker"
)

// A joiner is a member of a group that does each step when it is told to.
type joiner struct {
	t      *testing.T
	client *kgo.Client
	id     string
	at     int32 // generation
	leads  bool
}

// join joins the group, or joins it again, and returns how many it is then, where this
// one leads it.
func (j *joiner) join() (int, error) {
	for {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.ProtocolType = "g", j.id, "consumer"
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 10_000, 60_000
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name = "range"
		req.Protocols = append(req.Protocols, protocol)
		resp, err := req.RequestWith(j.t.Context(), j.client)
		if err != nil {
			return 0, err
		}
		j.id, j.at, j.leads = resp.MemberID, resp.Generation, resp.LeaderID == resp.MemberID
		if err = kerr.ErrorForCode(resp.ErrorCode); !errors.Is(err, kerr.MemberIDRequired) {
			return len(resp.Members), err
		}
	}
}

// sync waits for the leader's word, or gives it.
func (j *joiner) sync() error {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = "g", j.id, j.at
	resp, err := req.RequestWith(j.t.Context(), j.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// called waits until the member is called to join again.
func (j *joiner) called() {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(j.t.Context(), 5*time.Second)
	defer cancel()
	for {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.Generation = "g", j.id, j.at
		resp, err := req.RequestWith(ctx, j.client)
		if err != nil {
			j.t.Fatalf("nobody calls: %v", err)
		}
		if resp.ErrorCode == kerr.RebalanceInProgress.Code {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (j *joiner) must(n int, err error) int {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
	return n
}

// TestKilledWhileItJoins: a member whose connection ends while it waits for the others
// to join has left, be it that it leads or not.
func TestKilledWhileItJoins(t *testing.T) {
	t.Parallel()
	for _, leader := range []bool{false, true} {
		b := start(t, broker.Config{})
		stays := &joiner{t: t, client: client(t, b.Addrs()[0])}
		dies := &joiner{t: t, client: client(t, b.Addrs()[0])}
		if leader { // it joins first, and again when the other one has come
			dies.must(dies.join())
			dies.must(0, dies.sync())
			done := make(chan error, 1)
			go func() { _, err := stays.join(); done <- err }()
			dies.called()
			dies.must(dies.join())
			dies.must(0, dies.sync())
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			stays.must(0, stays.sync())
		} else {
			stays.must(stays.join())
			stays.must(0, stays.sync())
		}
		go func() { _, _ = dies.join() }()
		stays.called()
		dies.client.Close()
		began := time.Now()
		stays.must(stays.join())
		if err := stays.sync(); err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			t.Fatal(err)
		}
		stays.called()
		if n := stays.must(stays.join()); n != 1 || !stays.leads {
			t.Errorf("leader %v: %d members are left", leader, n)
		}
		stays.must(0, stays.sync())
		if d := time.Since(began); d > 8*time.Second {
			t.Errorf("leader %v: it took %v", leader, d)
		}
	}
}
