package broker

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Readers bound the memory of answers to fetches. kfake holds each twice until it is
// sent, and a buffer of its size for as long as the connection lasts, while clients may
// ask for any size and need not take what they asked for. So all connections that fetch
// share what there is; a client gets one batch in any case, and asks for more.
type readers struct{ n atomic.Int64 }

const (
	maxAnswers = 64 << 20 // bytes of all answers
	maxAnswer  = 8 << 20  // of one; more is not faster
)

// share returns how large an answer may be.
func (r *readers) share() int32 {
	return int32(min(maxAnswer, maxAnswers/2/max(r.n.Load(), 1)))
}

// bound lowers the size that fetches ask for to their share.
func (r *readers) bound() kfake.Fault {
	return kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch}, TopLevel: true, Count: -1, Observe: true,
		When: func(req kmsg.Request) bool {
			if f, ok := req.(*kmsg.FetchRequest); ok {
				f.MaxBytes = min(f.MaxBytes, r.share())
			}
			return false // nothing fails
		},
	}
}
