package kafka

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A parcel is entries of a task on their way into a changelog: their records for the
// client, and the memory of their keys and values. It is filled again when all of them
// are acknowledged.
type parcel struct {
	part        *copied
	recs        [parcelRecords]kgo.Record
	used        int // of recs
	data        []byte
	left        atomic.Int64 // records that are not acknowledged, and one more while it is filled
	acknowledge func(*kgo.Record, error)
}

const (
	parcelRecords = 256
	parcelData    = 1 << 20 // bytes; more is not kept
	manyParcels   = 256     // that are kept: 11 MiB of records, and what is in them
)

// parcel returns an empty parcel for entries of a task.
func (c *Changelog) parcel(part *copied) *parcel {
	var p *parcel
	select {
	case p = <-c.parcels:
	default:
		p = &parcel{}
		p.acknowledge = func(r *kgo.Record, err error) { c.acknowledged(p, r, err) }
	}
	p.part, p.used, p.data = part, 0, p.data[:0]
	p.left.Store(1)
	return p
}

// add returns the record of one more entry; a nil value deletes it. Key and value are
// copied. There must be room for it.
func (p *parcel) add(kind byte, key, value []byte) *kgo.Record {
	start := len(p.data)
	p.data = append(append(p.data, kind), key...) // where it moves, earlier records keep the old memory
	end := len(p.data)
	r := &p.recs[p.used]
	p.used++
	*r = kgo.Record{}
	if value != nil {
		p.data = append(p.data, value...)
		r.Value = p.data[end:len(p.data):len(p.data)]
	}
	r.Key = p.data[start:end:end]
	p.left.Add(1)
	return r
}

// full reports whether there is no room for one more.
func (p *parcel) full() bool { return p.used == len(p.recs) }

// done says that one record is acknowledged, or that no more are added.
func (c *Changelog) done(p *parcel) {
	if p.left.Add(-1) > 0 {
		return
	}
	if cap(p.data) > parcelData {
		p.data = nil
	}
	select {
	case c.parcels <- p:
	default:
	}
}
