package broker

import (
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/stream"
)

// A creator makes the topics that clients ask for and that are missing.
//
// Were kfake told to do that, it would write such a topic to disk only when it
// closes: a kill -9 then loses the topic with all its records. The creator
// learns of the wish from a fault that never fails anything, and makes the
// topic from outside. The client is told meanwhile that there is none, and
// asks again, as with Apache Kafka.
type creator struct {
	wanted chan []string
	last   kmsg.Request // only for the goroutine of the cluster
}

func newCreator() *creator { return &creator{wanted: make(chan []string, 64)} }

// fault observes the requests for metadata.
func (c *creator) fault() kfake.Fault {
	return kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Count: -1, Observe: true, When: c.note}
}

// note is called once for each topic of a request. A request that finds the
// channel full is forgotten: the client will ask again.
func (c *creator) note(req kmsg.Request) bool {
	m, ok := req.(*kmsg.MetadataRequest)
	if !ok || !m.AllowAutoTopicCreation || req == c.last {
		return false
	}
	c.last = req
	var names []string
	for _, t := range m.Topics {
		if t.Topic != nil {
			names = append(names, *t.Topic)
		}
	}
	select {
	case c.wanted <- names:
	default:
	}
	return false
}

// badNames refuses to create topics by names that Apache Kafka does not allow. It
// refuses all of a request that holds one, where Kafka refuses that one.
func badNames() kfake.Fault {
	return kfake.Fault{
		Keys:  []kmsg.Key{kmsg.CreateTopics},
		Count: -1,
		When: func(req kmsg.Request) bool {
			r, ok := req.(*kmsg.CreateTopicsRequest)
			return ok && slices.ContainsFunc(r.Topics, func(t kmsg.CreateTopicsRequestTopic) bool {
				return !stream.ValidTopic(t.Topic)
			})
		},
		Err: kerr.InvalidTopicException,
	}
}

// create makes those of the named topics that are missing.
func (b *Broker) create(names []string) {
	for _, name := range names {
		if !stream.ValidTopic(name) {
			continue
		}
		if err := b.cluster.CreateTopic(name, 0, nil); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			b.log.Warn("creating a topic that a client asked for", "topic", name, "err", err)
		}
	}
}
