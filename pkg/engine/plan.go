package engine

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// unopened is a source that has not been started.
type unopened struct {
	source int
	first  int64 // time of its first record; holds the watermark
}

// unopened returns the least time of sources that are still to be started, at which
// they hold the watermark, or forever.
func (ls *lanes) unopened() int64 {
	if len(ls.later) == 0 {
		return forever
	}
	return ls.later[0].first
}

// plan decides when each source is started and starts the first ones.
func (ls *lanes) plan(ctx context.Context) {
	ls.ctx = ctx
	var parser Parser
	if ls.Parser != nil {
		parser = ls.Parser()
	}
	for i := range ls.Sources {
		if first, ok := ls.firstTime(i, parser); ok {
			ls.later = append(ls.later, unopened{i, first})
		} else {
			ls.open(i)
		}
	}
	if ls.Order == InTime {
		slices.SortStableFunc(ls.later, func(a, b unopened) int { return cmp.Compare(a.first, b.first) })
	}
}

// firstTime returns the time of a source's first record, record.NoTime where
// it is not known, and false for a source that is to be started at once: also
// one that cannot be looked at, so that its Read says why.
func (ls *lanes) firstTime(i int, parser Parser) (int64, bool) {
	p, ok := ls.Sources[i].(stream.Peeker)
	if ls.Order != InTime || len(ls.Sources) == 1 || !ok {
		return record.NoTime, ls.Order == InSequence
	}
	if ls.ctx.Err() != nil {
		return record.NoTime, true // interrupted: it will not be started
	}
	b, err := ls.pool.Get(ls.ctx)
	if err != nil {
		return record.NoTime, false
	}
	defer b.Release()
	if err := p.Peek(b); err != nil {
		return record.NoTime, err == io.EOF
	}
	if parser != nil {
		parser.Parse(b)
	}
	for k := range b.Recs {
		if b.Recs[k].Live() {
			return b.Recs[k].Time, true
		}
	}
	return record.NoTime, true
}

func (ls *lanes) open(source int) {
	ls.opened++
	ls.start(ls.ctx, source)
	if !ls.several(source) {
		ls.attach(ls.lane(laneKey{source: source}))
	}
}

func (ls *lanes) openNext() {
	source := ls.later[0].source
	ls.later = ls.later[1:]
	ls.open(source)
}
