package engine_test

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// spread counts records under many keys, some of which come and go.
type spread struct {
	counts, dirty map[uint32]uint64
	refused       int // calls of Changes that were to end early
}

const spreadKeys = 20_000

func (o *spread) Process(rows record.Rows, _ stream.Output) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		k := uint32(rows.Recs[i].Offset*7919) % spreadKeys
		o.counts[k]++
		o.dirty[k] = 1
		from, to := uint32(rows.Recs[i].Offset/10)%spreadKeys, uint32(rows.Recs[i].Offset/7)%spreadKeys
		if n := o.counts[from]; n > 0 && from != to { // what one had is another's
			o.counts[to] += n
			o.dirty[from], o.dirty[to] = 1, 1
			delete(o.counts, from)
		}
	}
	return nil
}

func (*spread) Signature() string { return "spread" }

func (o *spread) Changes(all bool, put func(key, value []byte) error) error {
	if all {
		o.dirty = maps.Clone(o.counts)
	}
	for _, k := range slices.Sorted(maps.Keys(o.dirty)) {
		var value []byte
		if n := o.counts[k]; n > 0 {
			value = binary.AppendUvarint(nil, n)
		}
		if err := put(binary.BigEndian.AppendUint32(nil, k), value); err != nil {
			o.refused++
			return err
		}
		delete(o.dirty, k)
	}
	return nil
}

func (*spread) Restore(_, _ []byte) error { return nil }

// register is a sink that keeps positions and state, and checks at every commit that
// they are of one moment.
type register struct {
	t       *testing.T
	at      int64
	kept    map[string]uint64
	commits atomic.Int64
}

func (*register) Write(record.Rows) error { return nil }

func (*register) Positions(context.Context) ([]stream.Position, error) { return nil, nil }

func (l *register) Keep(at []stream.Position) { l.at = at[len(at)-1].Next }

func (*register) Load(context.Context, stream.Task, func(key, value []byte) error) error { return nil }

func (l *register) Stale(stream.Task) bool { return l.commits.Load()%3 == 2 }

func (l *register) Save(_ stream.Task, entries stream.Entries, all bool) error {
	if all {
		clear(l.kept)
	}
	return entries.Each(func(key, value []byte) error {
		if _, twice := l.kept[string(key)]; all && (twice || value == nil) {
			l.t.Errorf("of all entries %x is twice, or gone (%x)", key, value)
		}
		delete(l.kept, string(key))
		if n, _ := binary.Uvarint(value); len(key) > 0 && n > 0 {
			l.kept[string(key)] = n
		}
		return nil
	})
}

func (l *register) Flush(context.Context) error {
	commit := l.commits.Add(1)
	want := &spread{counts: map[uint32]uint64{}, dirty: map[uint32]uint64{}}
	recs := make([]record.Rec, l.at)
	for n := range recs {
		recs[n].Offset = int64(n)
	}
	_ = want.Process(record.Rows{Batch: &record.Batch{Recs: recs}, Hi: len(recs)}, nil)
	same := len(want.counts) == len(l.kept)
	for k, n := range want.counts {
		same = same && l.kept[string(binary.BigEndian.AppendUint32(nil, k))] == n
	}
	if !same {
		l.t.Errorf("commit %d at %d: %d entries, want %d with other counts", commit, l.at, len(l.kept), len(want.counts))
	}
	return nil
}

// TestOneTaskIsGatheredInPieces: records wait for no more than a piece of what has
// changed, and what is committed is of one moment all the same, also where it is all
// that there is.
func TestOneTaskIsGatheredInPieces(t *testing.T) {
	const readAhead, total = 10_000, 60_000
	op := &spread{counts: map[uint32]uint64{}, dirty: map[uint32]uint64{}}
	l := &register{t: t, kept: map[string]uint64{}}
	var now atomic.Int64
	p := engine.Pipeline{
		Sources: []stream.Source{slowly{newNumbered(total, 1, 1), readAhead, &l.commits}}, Operator: op, Sink: l, Vault: l, Exactly: true,
		Parser: newMarker, CommitEvery: time.Millisecond,
		Now: func() int64 { return now.Add(int64(2 * time.Millisecond)) }, // so that a piece is no more than it has to be
	}
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if l.commits.Load() < 2 || op.refused == 0 || l.at != total {
		t.Errorf("%d commits, the last one at %d, in %d pieces more", l.commits.Load(), l.at, op.refused)
	}
}
