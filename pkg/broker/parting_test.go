package broker_test

import (
	"context"
	"errors"
	"io"
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
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 6_000, 60_000
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name = "range"
		req.Protocols = append(req.Protocols, protocol)
		resp, err := req.RequestWith(j.t.Context(), j.client)
		if errors.Is(err, io.EOF) {
			continue // it was hung up on
		}
		if err != nil {
			return 0, err
		}
		j.id, j.at, j.leads = resp.MemberID, resp.Generation, resp.LeaderID == resp.MemberID
		switch err = kerr.ErrorForCode(resp.ErrorCode); {
		case errors.Is(err, kerr.UnknownMemberID):
			j.id = ""
		case !errors.Is(err, kerr.MemberIDRequired):
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
	ctx, cancel := context.WithTimeout(j.t.Context(), 30*time.Second)
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

// TestForgottenWhileItJoins: a member waits for one that has died, and its own session
// is over before that one's. It is told so, and joins anew.
func TestForgottenWhileItJoins(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	waits := &joiner{t: t, client: client(t, b.Addrs()[0])}
	dies := &joiner{t: t, client: client(t, b.Addrs()[0])}
	waits.pair(dies)
	joined := make(chan int, 1)
	go func() {
		n, err := waits.join()
		if err != nil {
			t.Error(err)
		}
		joined <- n
	}()
	dies.called()
	time.Sleep(500 * time.Millisecond) // so that its session is over after the other one's
	dies.called()
	select {
	case n := <-joined:
		if n != 1 {
			t.Errorf("there are %d members", n)
		}
	case <-time.After(30 * time.Second):
		t.Error("it still waits")
	}
}

// pair has another one join the group that this one leads.
func (j *joiner) pair(other *joiner) {
	j.t.Helper()
	j.must(j.join())
	j.must(0, j.sync())
	done := make(chan error, 1)
	go func() { _, err := other.join(); done <- err }()
	j.called()
	j.must(j.join())
	j.must(0, j.sync())
	j.must(0, <-done)
	other.must(0, other.sync())
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
			dies.pair(stays)
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
		if d := time.Since(began); d > 30*time.Second { // and not the minute that members have to join again
			t.Errorf("leader %v: it took %v", leader, d)
		}
	}
}
