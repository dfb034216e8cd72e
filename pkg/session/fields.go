package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// Details say what a row has besides start, end and number of events. The zero value is
// nothing.
type Details struct {
	Keep     []string // fields or NAME=EXPR: the first value of each
	Type     string   // the field with the type of an event: how many there were of each
	Sequence int      // the types of so many last events
	Page     string   // the field with the page: which ones, in order, the first and the last
	Convert  string   // a condition: whether and when it was first true
	Funnel   string   // steps: types, or NAME=CONDITION, that are to follow each other
	Aggs     string   // aggregates, as in `sum(bytes), p99(latency_ms)`
	Abandon  string   // a condition on sessions that are over, of their fields and of the types that were

	Events bool // the events are written, with their place in the session, and not the sessions
}

// DefaultType is the field with the type of an event by default.
const DefaultType = "type"

// hiddenTypes is the name of the counts by type where only a verdict needs them.
const hiddenTypes = "_types"

// fields are what a row has besides the usual.
type fields struct {
	cfg        *Config
	set        *aggregate.Set
	start, end *expr.Expr // conditions of cuts; may be nil
	funnel     []step
	types      int // where the set has the counts by type; -1: nowhere
	converted  int // likewise whether a session converted
	hidden     int // aggregates at the set's end that rows do not have
	abandon    *verdict
	mask       int // the batch's column of words with the conditions
}

// A step is one of a funnel.
type step struct {
	name string
	cond *expr.Expr
}

// The bits of a mask; those of a funnel's steps follow.
const (
	startBit = 1 << iota
	endBit
	stepBits = iota
)

// maxSteps bounds the steps of a funnel.
const maxSteps = 32

// compileFields compiles what cfg asks for, beside keys of these names.
func compileFields(cfg *Config, keys []string, plan *record.Plan) (f *fields, err error) {
	f = &fields{cfg: cfg}
	if f.start, err = condition(cfg.StartWhen, plan); err != nil {
		return nil, err
	}
	if f.end, err = condition(cfg.EndWhen, plan); err != nil {
		return nil, err
	}
	if f.funnel, err = compileFunnel(cfg.Funnel, cfg.typeField(), plan); err != nil {
		return nil, err
	}
	if f.abandon, err = newVerdict(cfg.Abandon); err != nil {
		return nil, err
	}
	return f, f.compileSet(keys, plan)
}

// compileSet compiles the aggregates.
func (f *fields) compileSet(keys []string, plan *record.Plan) error {
	list, err := f.cfg.aggregates()
	if err != nil {
		return err
	}
	shown, err := aggregate.Compile(strings.Join(list, ", "), record.NewPlan())
	if err != nil {
		return err
	}
	if f.cfg.Type == "" && f.abandon.wantsOther(slices.Concat(f.reserved(), keys, shown.Names())) {
		list = append(list, hiddenTypes+"=counts("+DefaultType+")")
		f.hidden = 1
	}
	if f.set, err = aggregate.Compile(strings.Join(list, ", "), plan); err != nil {
		return err
	}
	f.mask = f.set.Words()
	f.types = slices.IndexFunc(f.set.Names(), func(name string) bool {
		return name == hiddenTypes || name == "types" && f.cfg.Type != ""
	})
	f.converted = -1
	if f.cfg.Convert != "" {
		f.converted = slices.Index(f.set.Names(), "converted")
	}
	return nil
}

// condition compiles a condition; nil where there is none.
func condition(src string, plan *record.Plan) (*expr.Expr, error) {
	if strings.TrimSpace(src) == "" {
		return nil, nil
	}
	return expr.CompileBool(src, plan)
}

func (d *Details) typeField() string {
	if d.Type == "" {
		return DefaultType
	}
	return d.Type
}

// aggregates writes the details as aggregates. Expressions are compiled once by
// themselves, so that an error shows what the user wrote.
func (d *Details) aggregates() (list []string, err error) {
	add := func(src, format string) {
		if strings.TrimSpace(src) == "" || err != nil {
			return
		}
		if _, err = expr.Compile(src, record.NewPlan()); err == nil {
			list = append(list, strings.ReplaceAll(format, "$", src))
		}
	}
	for _, src := range d.Keep {
		kept, err := expr.Assignments(src)
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			add(k.Src, k.Name+"=first($)")
		}
	}
	add(d.Type, "types=counts($)")
	if d.Sequence != 0 {
		add(d.typeField(), fmt.Sprintf("sequence=tail($, %d)", d.Sequence))
	}
	add(d.Page, "pages=values($), entry_page=first($), exit_page=last($)")
	add(d.Convert, "converted=any($), time_to_conversion_ms=until($)")
	if err == nil && strings.TrimSpace(d.Aggs) != "" {
		_, err = aggregate.Compile(d.Aggs, record.NewPlan())
		list = append(list, d.Aggs)
	}
	return list, err
}

// compileFunnel compiles the steps of a funnel: a word is a type of events.
func compileFunnel(src, typeField string, plan *record.Plan) (steps []step, err error) {
	if strings.TrimSpace(src) == "" {
		return nil, nil
	}
	list, err := expr.Assignments(src)
	if err != nil {
		return nil, err
	}
	if len(list) > maxSteps {
		return nil, fault.Usagef("", "funnel of %d steps: want %d at most", len(list), maxSteps)
	}
	for _, a := range list {
		text := a.Src
		if text == a.Name {
			text = typeField + " == " + string(record.AppendQuoted(nil, a.Name))
		}
		cond, err := expr.CompileBool(text, plan)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{a.Name, cond})
	}
	return steps, nil
}

// ordered reports whether it matters in which order events come.
func (f *fields) ordered() bool { return f.cuts() || len(f.funnel) > 0 || f.cfg.Events }

// cuts reports whether something else than the gap ends sessions.
func (f *fields) cuts() bool {
	return f.cfg.MaxLength > 0 || f.cfg.MaxEvents > 0 || f.start != nil || f.end != nil
}

// reserved returns the names of fields that keys and aggregates may not have.
func (f *fields) reserved() []string {
	names := []string{"session_id", "session_start", "session_end", "duration_ms", "events"}
	if f.cuts() {
		names = append(names, "ended_by")
	}
	if len(f.funnel) > 0 {
		names = append(names, "funnel_step", "funnel")
	}
	if f.abandon != nil {
		names = append(names, "abandoned")
	}
	if f.cfg.Update {
		names = append(names, "op", "final")
	}
	return names
}

func (f *fields) mismatches() int64 {
	n := f.set.Mismatches()
	for _, c := range f.conditions() {
		n += c.Mismatches()
	}
	return n
}

func (f *fields) conditions() (list []*expr.Expr) {
	for _, c := range []*expr.Expr{f.start, f.end} {
		if c != nil {
			list = append(list, c)
		}
	}
	for _, s := range f.funnel {
		list = append(list, s.cond)
	}
	return list
}

// prepare evaluates what is to be known of all records of b.
func (f *fields) prepare(b *record.Batch) {
	f.set.Prepare(b)
	if !f.ordered() {
		return
	}
	masks := b.Words(f.mask)
	for i := range b.Recs {
		if b.Recs[i].Live() {
			masks[i] = f.maskOf(b, i)
		}
	}
}

func (f *fields) maskOf(b *record.Batch, i int) (mask uint64) {
	if f.start != nil && f.start.True(b, i) {
		mask |= startBit
	}
	if f.end != nil && f.end.True(b, i) {
		mask |= endBit
	}
	for k, s := range f.funnel {
		if s.cond.True(b, i) {
			mask |= 1 << (stepBits + k)
		}
	}
	return mask
}

// appendTo appends the fields of a session.
func (f *fields) appendTo(dst []byte, o *Op, n uint32, final bool) []byte {
	s := o.sessions.at(n)
	switch {
	case f.cuts() && final:
		dst = append(append(append(dst, `,"ended_by":"`...), reasons[o.order.details[n].why]...), '"')
	case f.cuts():
		dst = append(dst, `,"ended_by":null`...)
	}
	row := aggregate.Row{Cells: o.cells, Group: n, Start: s.start, Length: time.Duration(s.end - s.start)}
	for k := range f.set.Len() - f.hidden {
		dst = f.set.AppendField(dst, k, row)
	}
	if len(f.funnel) == 0 {
		return dst
	}
	reached := o.order.details[n].step
	dst = strconv.AppendUint(append(dst, `,"funnel_step":`...), uint64(reached), 10)
	dst = append(dst, `,"funnel":`...)
	if reached == 0 {
		return append(dst, "null"...)
	}
	return record.AppendQuoted(dst, f.funnel[reached-1].name)
}
