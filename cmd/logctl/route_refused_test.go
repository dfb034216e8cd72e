package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// readOnly starts a broker with the topics free and shut; nobody may write to shut.
func readOnly(t *testing.T) *client {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "free", "shut"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	shut := broker.TopicInfo("shut").TopicID
	broker.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		topics := r.(*kmsg.ProduceRequest).Topics
		if !slices.ContainsFunc(topics, func(t kmsg.ProduceRequestTopic) bool { return t.TopicID == shut }) {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range topics {
			one := kmsg.NewProduceResponseTopic()
			one.Topic, one.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				if part.Partition = p.Partition; topic.TopicID == shut {
					part.ErrorCode = kerr.TopicAuthorizationFailed.Code
				}
				one.Partitions = append(one.Partitions, part)
			}
			resp.Topics = append(resp.Topics, one)
		}
		return resp, nil, true
	})
	return &client{home: t.TempDir(), addrs: broker.ListenAddrs()}
}

// TestRouteReadOnlyDestination: a topic that may not be written to is an error, said
// with what to do, and in a transaction the others get nothing either. Where they must
// not be held up for it they are not, and what it did not get is counted.
func TestRouteReadOnlyDestination(t *testing.T) {
	t.Parallel()
	c := readOnly(t)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, rules, "rules: [{name: all, match: has(n), to: ['kafka:free', 'kafka:shut']}]\ndefault: 'null:'\n")
	run := func(fanout string) result {
		in := strings.NewReader(string(numbers(0, 3)))
		return c.run(t, in, nil, "route", "--rules", rules, "--fanout", fanout)
	}
	free := func() int {
		return strings.Count(c.logctl(t, nil, "consume", "-q", "--from", "kafka:free", "--stop", "end"), "\n")
	}
	refused(t, run("txn"), `"shut"`, "may not", "hint: ask for an ACL")
	if n := free(); n > 0 {
		t.Errorf("%d records of a transaction that failed are seen", n)
	}
	refused(t, run("all"), `"shut"`, "may not", "hint: ask for an ACL")
	before := free()
	r := run("best-effort")
	if r.status != 0 || !strings.Contains(r.errs, "lost for kafka:shut 3 (") || free() != before+3 {
		t.Errorf("best effort: status %d, %d records where they may go\n%s", r.status, free()-before, r.errs)
	}
}
