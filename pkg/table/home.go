package table

import (
	"fmt"
	"strings"
)

// A Home is which topic of a name positions and rows are of: the id of its cluster and,
// where brokers give topics ids, behind a space its own. A topic that is made anew has
// another one.
type Home string

// Settle says what follows for a table that is bound to home bound from finding the topic
// in home now: whether the binding is to be written anew, and why it must not be used.
// Bindings of earlier builds name the cluster alone.
func (now Home) Settle(topic string, bound Home) (renew bool, err error) {
	cluster, id, _ := strings.Cut(string(now), " ")
	before, old, known := strings.Cut(string(bound), " ")
	switch {
	case before != cluster:
		return false, fmt.Errorf("its positions of topic %q are those of another Kafka cluster (%s, not %s)",
			topic, before, cluster)
	case known && id != "" && old != id:
		return false, fmt.Errorf("its positions are those of a topic %q that there is no more: it was made anew", topic)
	}
	return !known && id != "", nil
}
