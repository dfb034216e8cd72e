package broker

import (
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// noSessions declines the sessions of fetches, as a broker may; clients then name
// all their partitions in every request, in turn.
//
// A session's request names only what has changed, which is the partition that was
// read last, and kfake serves what is named first: with batches larger than a
// client wants of one partition at a time, that one was read to its end, or until
// the client had enough of it, before any other.
func noSessions() kfake.Fault {
	return kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch}, TopLevel: true, Count: -1, Observe: true,
		When: func(req kmsg.Request) bool {
			if f, ok := req.(*kmsg.FetchRequest); ok {
				f.SessionID, f.SessionEpoch = 0, -1
			}
			return false // nothing fails
		},
	}
}
