package session

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// The methods of this file answer questions. Like Process they are for one
// goroutine; what they return is the caller's. A user is named by the text of
// the key, or where it has several parts by these with commas between them.

// Newest returns the greatest event time so far, or record.NoTime if there was none.
func (o *Op) Newest() int64 { return o.newest }

// Active returns the rows of a user's open sessions in order of their starts, including
// events that wait for their turn, as they would be without further events. active says
// whether the last session is active: Newest is no further than the gap after its end.
func (o *Op) Active(key string) (rows []json.RawMessage, active bool) {
	o.keys.Search(key, func(hash uint64, kind record.Kind, text []byte) bool {
		user, spilled := o.users.find(hash, kind, text), o.shelf.Size() > 0
		switch {
		case spilled || user != 0 && o.order != nil:
			rows, active = o.foresee(user, kind, text)
		case user != 0:
			rows, active = o.openRows(nil, user)
		}
		return len(rows) == 0
	})
	return rows, active
}

// openRows appends the rows of a user's open sessions, and tells whether the last one
// is active.
func (o *Op) openRows(rows []json.RawMessage, user uint32) ([]json.RawMessage, bool) {
	last := o.users.at(user).last
	switch {
	case o.order == nil:
		o.sessions.each(&o.users.at(user).root, func(n uint32) { rows = append(rows, o.openRow(n)) })
	case last != 0:
		rows = append(rows, o.openRow(last))
	}
	return rows, last != 0 && o.newest-o.sessions.at(last).end <= o.gap
}

// openRow returns the row of a session that is not over.
func (o *Op) openRow(n uint32) json.RawMessage {
	return append(o.appendRow([]byte{'{'}, n, false), '}')
}

// foresee has another operator take in what there is of a user, what waits for its turn
// and what is spilled with the rest.
func (o *Op) foresee(user uint32, kind record.Kind, text []byte) (rows []json.RawMessage, active bool) {
	probe := o.probe()
	if probe.takeFromOther(o, user) != nil || probe.takeFrom(o.shelf, kind, text) != nil {
		return nil, false
	}
	of := probe.users.find(aggregate.HashKey(kind, text), kind, text)
	if of == 0 {
		return nil, false
	}
	for probe.order != nil && len(probe.order.waits.steps) > 0 {
		if probe.fold(probe.order.waits.take(), nil) != nil {
			return nil, false
		}
	}
	probe.cfg.Events = false
	for _, e := range probe.closing {
		rows = append(rows, probe.openRow(e.n))
	}
	return probe.openRows(rows, of)
}

// probe returns an operator that can be asked what will become of what it is given.
func (o *Op) probe() *Op {
	probe := o.Another()
	probe.cfg.Update, probe.history, probe.shelf = false, nil, nil
	probe.newest, probe.silence, probe.stats = o.newest, o.silence, new(counters)
	return probe
}

// takeFromOther takes what another operator has in memory of a user, which it keeps.
func (o *Op) takeFromOther(from *Op, user uint32) (err error) {
	if user == 0 {
		return nil
	}
	session := func(n uint32) {
		err = cmp.Or(err, o.takeDown(from.appendSessionKey(nil, n), from.appendSession(nil, n)))
	}
	u := from.users.at(user)
	if from.order == nil {
		from.sessions.each(&u.root, session)
		return err
	}
	if u.last != 0 {
		session(u.last)
	}
	for m := u.root; m != 0; m = from.order.held.at(m).older {
		err = cmp.Or(err, o.takeDown(from.appendHeldKey(nil, m), from.appendHeld(nil, m)))
	}
	return err
}

// takeFrom takes what a shelf has of a user, which it keeps.
func (o *Op) takeFrom(from *aggregate.Shelf, kind record.Kind, text []byte) error {
	return from.Each(func(key, value []byte) error {
		if !isOf(key, kind, text) {
			return nil
		}
		return o.takeDown(key, value)
	})
}

// A Search says which past sessions to return. The zero value means all of them.
type Search struct {
	Key       *string // of this user; nil: of all
	Converted bool    // that converted
	Since     int64   // that ended then or later; ns since 1970
	Limit     int     // so many at most; 0: all
}

// A Past is a session that was closed.
type Past struct {
	End int64           `json:"end"`
	Row json.RawMessage `json:"row"`
}

// Past returns past sessions, the last one first. There are none without
// KeepHistory.
func (o *Op) Past(s Search) (list []Past) {
	if o.history == nil {
		return nil
	}
	take := func(p *past, row []byte) bool {
		if p.end >= s.Since && (p.converted || !s.Converted) {
			list = append(list, Past{p.end, slices.Clone(row)})
		}
		return s.Limit == 0 || len(list) < s.Limit
	}
	if s.Key != nil {
		o.keys.Search(*s.Key, func(hash uint64, kind record.Kind, text []byte) bool {
			o.history.of(hash, kind, text, take)
			return true
		})
	} else {
		o.history.back(take)
	}
	return list
}

// Latest returns the first n sessions of all lists, in the order of Past. If sessions
// ended at the same time, those of earlier lists come first.
func Latest(n int, lists ...[]Past) []Past {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Past) int { return cmp.Compare(b.End, a.End) })
	return all[:min(n, len(all))]
}

// A Summary has counts and sums over past sessions.
type Summary struct {
	Sessions, Events, Converted, Abandoned uint64
	Durations                              sketch.Quantiles // in ms
	Total                                  time.Duration    // of all durations
	Steps                                  []Step           // of the funnel
}

// A Step of a funnel, with the number of sessions that have reached it.
type Step struct {
	Name    string
	Reached uint64
}

// Merge adds the summary of another run over other partitions of the same input.
func (to *Summary) Merge(o *Summary) {
	to.Sessions += o.Sessions
	to.Events += o.Events
	to.Converted += o.Converted
	to.Abandoned += o.Abandoned
	to.Total += o.Total
	to.Durations.Merge(&o.Durations)
	for k, step := range o.Steps {
		if k == len(to.Steps) {
			to.Steps = append(to.Steps, Step{Name: step.Name})
		}
		to.Steps[k].Reached += step.Reached
	}
}

// Summarize adds the past sessions that ended at since or later.
func (o *Op) Summarize(to *Summary, since int64) {
	if to.Steps == nil {
		for _, s := range o.fields.funnel {
			to.Steps = append(to.Steps, Step{Name: s.name})
		}
	}
	if o.history == nil {
		return
	}
	o.history.back(func(p *past, _ []byte) bool {
		if p.end >= since {
			to.add(p)
		}
		return true
	})
}

func (to *Summary) add(p *past) {
	to.Sessions++
	to.Events += p.events
	to.Total += time.Duration(p.duration)
	to.Durations.Add(float64(p.duration) / 1e6)
	if p.converted {
		to.Converted++
	}
	if p.abandoned {
		to.Abandoned++
	}
	for k := range p.step {
		to.Steps[k].Reached++
	}
}

// Another returns an operator like o without records, for another task of the same run.
// Batches that o has prepared can be given to both, and both count in the same Stats.
// All are called by one goroutine.
func (o *Op) Another() *Op {
	other := &Op{
		cfg: o.cfg, zone: o.zone, keys: o.keys, fields: o.fields, times: o.times, check: o.check,
		late: o.late, abandoned: o.abandoned, stats: o.stats,
	}
	if o.history != nil {
		other.KeepHistory(time.Duration(o.history.keep))
	}
	other.start()
	return other
}
