package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/human"
)

// A HealthConfig says what of a cluster is well. The zero value of a field asks for
// nothing but that no partition is without a leader.
type HealthConfig struct {
	Brokers         int   // as many have to answer
	UnderReplicated int   // partitions that may lack a copy
	MaxLag          int64 // of every group, where Lagging
	Lagging         bool
}

// Health is how a cluster is, found out by asking every broker.
type Health struct {
	Status          string // HEALTHY, DEGRADED or CRITICAL
	Reasons         []string
	Brokers         []Broker
	Controller      int32 // -1 where there is none
	Topics          int
	Partitions      int
	Leaderless      int
	UnderReplicated int
	Lags            map[string]int64 // of each group; nil where it was not asked for
}

// A Broker is a broker that the cluster knows.
type Broker struct {
	ID   int32
	Addr string
	Up   bool // it has answered
}

// The states of a cluster.
const (
	Healthy  = "HEALTHY"
	Degraded = "DEGRADED" // it works, but not all of it
	Critical = "CRITICAL" // some of it does not
)

// answerWithin is how long a broker may take to answer.
const answerWithin = 2 * time.Second

// CheckHealth asks a cluster how it is. Nothing is remembered from one call to the
// next. A cluster that does not answer is CRITICAL, not an error.
func CheckHealth(ctx context.Context, cfg Config, want HealthConfig) *Health {
	h := &Health{Status: Healthy, Controller: -1}
	cfg.mutes = new(mutes)
	client, err := cfg.open(ctx, kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		h.worse(Critical, "%v", err)
		return h
	}
	cfg.mutes.of(client, cfg)
	a := &Admin{cfg, kadm.NewClient(client)}
	defer a.Close()
	meta, err := a.adm.Metadata(ctx)
	if err != nil {
		h.worse(Critical, "%v", cfg.explain(err, ""))
		return h
	}
	h.Controller = meta.Controller
	for _, b := range meta.Brokers {
		h.Brokers = append(h.Brokers, Broker{b.NodeID, fmt.Sprintf("%s:%d", b.Host, b.Port), answers(ctx, client, b.NodeID)})
	}
	h.addFenced(ctx, client)
	slices.SortFunc(h.Brokers, func(x, y Broker) int { return cmp.Compare(x.ID, y.ID) })
	h.judgeBrokers(want)
	h.judgeTopics(meta.Topics, want)
	if want.Lagging {
		h.judgeLags(ctx, a, want)
	}
	return h
}

// answers asks one broker for its versions.
func answers(ctx context.Context, client *kgo.Client, id int32) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := client.Broker(int(id)).Request(ctx, kmsg.NewPtrApiVersionsRequest())
	return err == nil
}

// addFenced adds the brokers that the controller has not heard of for a while. They
// belong to the cluster, but metadata has them no more; Kafka 4.0 and later name
// them when asked (KIP-1073).
func (h *Health) addFenced(ctx context.Context, client *kgo.Client) {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeFencedBrokers = true
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return
	}
	for _, b := range resp.Brokers {
		known := slices.ContainsFunc(h.Brokers, func(k Broker) bool { return k.ID == b.NodeID })
		if b.IsFenced && !known {
			h.Brokers = append(h.Brokers, Broker{b.NodeID, fmt.Sprintf("%s:%d", b.Host, b.Port), false})
		}
	}
}

// worse notes a reason, and that the cluster is no better than it says.
func (h *Health) worse(status, format string, args ...any) {
	if h.Status != Critical {
		h.Status = status
	}
	h.Reasons = append(h.Reasons, fmt.Sprintf(format, args...))
}

func (h *Health) judgeBrokers(want HealthConfig) {
	up := 0
	for _, b := range h.Brokers {
		if b.Up {
			up++
		} else {
			h.worse(Degraded, "broker %d at %s does not answer", b.ID, b.Addr)
		}
	}
	switch {
	case up == 0:
		h.worse(Critical, "no broker answers")
	case up == 1 && want.Brokers > 1:
		h.worse(Degraded, "1 broker answers, %d are expected", want.Brokers)
	case up < want.Brokers:
		h.worse(Degraded, "%d brokers answer, %d are expected", up, want.Brokers)
	}
	if h.Controller < 0 {
		h.worse(Critical, "there is no controller")
	}
}

// judgeTopics goes by the metadata and by which brokers have answered. For the seconds
// until the controller counts out a broker that has stopped, that broker still leads its
// partitions: those cannot be written or read.
func (h *Health) judgeTopics(topics kadm.TopicDetails, want HealthConfig) {
	led := map[int32]int64{} // partitions of each broker that does not answer
	for _, b := range h.Brokers {
		if !b.Up {
			led[b.ID] = 0
		}
	}
	h.Topics = len(topics)
	topics.EachPartition(func(p kadm.PartitionDetail) {
		h.Partitions++
		if len(p.ISR) < len(p.Replicas) {
			h.UnderReplicated++
		}
		if p.Leader < 0 {
			h.Leaderless++
		} else if _, gone := led[p.Leader]; gone {
			led[p.Leader]++
		}
	})
	if h.Leaderless > 0 {
		h.worse(Critical, "%s partitions have no leader", human.Count(int64(h.Leaderless)))
	}
	for _, b := range h.Brokers {
		if led[b.ID] > 0 {
			h.worse(Critical, "%s partitions are led by broker %d, which does not answer", human.Count(led[b.ID]), b.ID)
		}
	}
	if h.UnderReplicated > want.UnderReplicated {
		h.worse(Degraded, "%s partitions lack a copy, %d may", human.Count(int64(h.UnderReplicated)), want.UnderReplicated)
	}
}

func (h *Health) judgeLags(ctx context.Context, a *Admin, want HealthConfig) {
	groups, err := a.Groups(ctx)
	if err != nil {
		h.worse(Degraded, "listing groups: %v", err)
		return
	}
	h.Lags = map[string]int64{}
	for _, g := range groups {
		full, err := a.DescribeGroup(ctx, g.Name)
		if errors.Is(err, errNoGroup) {
			continue // it has gone, or has never committed
		}
		if err != nil {
			h.worse(Degraded, "how far group %q is behind is not known: %v", g.Name, err)
			continue
		}
		h.Lags[g.Name] = full.Lag()
		if lag := full.Lag(); lag > want.MaxLag {
			h.worse(Degraded, "group %q is %s records behind, %s are allowed",
				g.Name, human.Count(lag), human.Count(want.MaxLag))
		}
	}
}
