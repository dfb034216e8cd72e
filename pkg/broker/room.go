package broker

import (
	"cmp"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/human"
)

// reserve is what producers leave free on the disk, or a twentieth of a small one: the
// offsets of groups and the ends of transactions go on to find room.
const reserve = 16 << 20

// A room refuses producers while the disk of the data has no more than its reserve. They
// may try again: there may be room later. The goroutine of the cluster uses it.
type room struct {
	dir     string
	reserve int64 // bytes; 0 for what is usual
	full    bool  // it was said
	log     *slog.Logger
}

// left returns how many bytes are free, and how many of these are the reserve. Where that
// is not known there is enough: a write that fails is told of.
func (r *room) left() (free, kept int64) {
	var fs syscall.Statfs_t
	if syscall.Statfs(r.dir, &fs) != nil || fs.Blocks == 0 {
		return 1 << 62, r.reserve
	}
	unit := int64(fs.Bsize) //nolint:unconvert // its type is another one elsewhere
	return int64(fs.Bavail) * unit, cmp.Or(r.reserve, min(reserve, int64(fs.Blocks)*unit/20))
}

// takes reports whether there is room for what a producer sends.
func (r *room) takes(req *kmsg.ProduceRequest) bool {
	var size int64
	for _, topic := range req.Topics {
		for _, partition := range topic.Partitions {
			size += int64(len(partition.Records))
		}
	}
	free, kept := r.left()
	takes := free-kept >= size
	switch {
	case !takes && !r.full:
		r.full = true
		r.log.Error("the disk is full: producers are refused", "data", r.dir)
	case takes && r.full && free > 2*kept:
		r.full = false
		r.log.Error("the disk has room again: producers are served", "data", r.dir)
	}
	return takes
}

func (r *room) fault() kfake.Fault {
	return kfake.Fault{
		Keys:  []kmsg.Key{kmsg.Produce},
		Count: -1,
		When: func(req kmsg.Request) bool {
			p, ok := req.(*kmsg.ProduceRequest)
			return ok && !r.takes(p)
		},
		Err: &kerr.Error{
			Code:    kerr.KafkaStorageError.Code,
			Message: fmt.Sprintf("the disk of the broker's data has less than %s left", human.Size(reserve)),
		},
	}
}
