// Package route sends records where rules say: it reads files of rules, decides
// for each record which rules hold and where it goes, makes the changed copies
// that rules ask for, and gives each destination its records.
//
// Rules may change while records are under way: a batch is parsed for, decided
// by and sent as one Table says, that of its plan.
package route

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
	"github.com/logctl/logctl/pkg/transform"
)

// Options say how a file of rules is applied.
type Options struct {
	First   bool          // only the first rule that holds counts
	Default []string      // where records go that no rule matches; the file's own where nil
	Plan    *record.Plan  // what is read besides; nil for nothing
	Stats   *Stats        // nil for none that outlive the table
	Dests   *Destinations // nil where nothing is to be sent
	Explain bool          // the table is asked to explain itself
}

// A Table is a compiled file of rules. It is immutable, but for its buckets and
// counts, and may be shared.
type Table struct {
	File  *File
	plan  *record.Plan
	set   *rules.Set
	rules []rule
	first bool
	def   []uint64 // where records go that no rule matches

	dests  []*Destination
	names  []string // of dests
	firsts []string // of names, those that stand first in a rule or the default
	words  int      // of a set of destinations

	edits   bool // some rule changes records
	limits  bool // some rule has a limit
	stats   *Stats
	workers sync.Pool
	views   *record.Pool
	tally   []tally       // of the rows at hand, by rule
	spare   *record.Batch // a view that was used and not kept by its sink
	conds   []*expr.Expr
	leaves  [][]*expr.Expr // of each rule, for explaining
}

// A rule is a rule of a table.
type rule struct {
	name   string
	to     []uint64 // a bit for each destination
	edit   *transform.Edit
	sample uint64 // of the hashes of records, those below are sent; math.MaxUint64 for all
	seed   uint64
	bucket *limit.Bucket // nil where there is no limit
	counts *RuleStats
}

// Compile compiles a file. Its plan is a new one, that of the options with the
// fields that the rules read. It opens the destinations that are new.
func Compile(f *File, opt Options) (*Table, error) {
	t := &Table{File: f, first: opt.First || f.First, stats: opt.Stats, plan: record.NewPlan()}
	if opt.Plan != nil {
		t.plan = opt.Plan.Clone()
	}
	if t.stats == nil {
		t.stats = new(Stats)
	}
	t.plan.Use = t
	for k := range f.Rules {
		if err := t.compileRule(&f.Rules[k]); err != nil {
			return nil, err
		}
	}
	t.set = rules.NewSet(t.conds, t.plan)
	def := f.Default
	if opt.Default != nil {
		def = opt.Default
	}
	t.place(def)
	if opt.Explain {
		if err := t.compileLeaves(); err != nil {
			return nil, err
		}
	}
	t.workers.New = func() any { return &worker{matcher: t.set.NewMatcher()} }
	t.tally = make([]tally, len(t.rules))
	t.views = record.NewPool(32*len(t.names)+64, 0)
	if opt.Dests == nil {
		return t, nil
	}
	var err error
	t.dests, err = opt.Dests.open(t.names, func(name string) bool { return slices.Contains(t.firsts, name) })
	return t, err
}

// Plan returns what the table reads of records. Its Use is the table.
func (t *Table) Plan() *record.Plan { return t.plan }

// Destinations returns the endpoints that rules or the default name.
func (t *Table) Destinations() []string { return t.names }

func (t *Table) compileRule(r *Rule) error {
	cond, err := expr.CompileBool(r.Cond, t.plan)
	if err != nil {
		return r.wrap(err)
	}
	edit, err := transform.NewEdit(r.Edit, t.plan)
	if err != nil {
		return r.wrapEdit(t.plan, err)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.Name)) // it cannot fail
	c := rule{name: r.Name, edit: edit, sample: math.MaxUint64, seed: h.Sum64(), counts: t.stats.rule(r.Name)}
	if r.Sample < 1 {
		c.sample = uint64(r.Sample * math.MaxUint64)
	}
	if !r.Limit.Unlimited() {
		c.bucket, t.limits = t.stats.limit(r), true
		if t.plan.Time < 0 {
			t.plan.ReadTime("")
		}
	}
	t.edits = t.edits || edit != nil
	t.conds = append(t.conds, cond)
	t.rules = append(t.rules, c)
	return nil
}

// wrap says of which rule a condition is wrong, and where.
func (r *Rule) wrap(err error) error {
	at := r.node
	if r.cond != nil {
		// The condition may stand behind that of when: what match says by itself
		// has the right column.
		if _, own := expr.CompileBool(r.cond.Value, record.NewPlan()); own != nil {
			at, err = r.cond, own
		}
	}
	return r.doc.Wrap(at, "rule "+quote(r.Name)+": ", err)
}

// wrapEdit says which of the values that a rule sets is wrong.
func (r *Rule) wrapEdit(plan *record.Plan, err error) error {
	for _, a := range r.Edit.Set {
		if _, own := expr.Compile(a.Src, plan.Clone()); own != nil {
			return r.doc.Wrap(r.set[a.Name], "rule "+quote(r.Name)+": "+quote(a.Name)+": ", own)
		}
	}
	return r.doc.Wrap(r.node, "rule "+quote(r.Name)+": ", err)
}

func quote(name string) string { return `"` + name + `"` }

// place numbers the destinations and says for each rule which it has.
func (t *Table) place(def []string) {
	for _, to := range append(t.lists(), def) {
		for k, name := range to {
			if k == 0 {
				t.firsts = append(t.firsts, name)
			}
			if !slices.Contains(t.names, name) {
				t.names = append(t.names, name)
			}
		}
	}
	t.words = max((len(t.names)+63)/64, 1)
	for k := range t.rules {
		t.rules[k].to = t.bits(t.File.Rules[k].To)
	}
	t.def = t.bits(def)
}

// lists returns where each rule sends.
func (t *Table) lists() (all [][]string) {
	for k := range t.File.Rules {
		all = append(all, t.File.Rules[k].To)
	}
	return all
}

// bits returns the set of the named destinations.
func (t *Table) bits(names []string) []uint64 {
	set := make([]uint64, t.words)
	for _, name := range names {
		d := slices.Index(t.names, name)
		set[d>>6] |= 1 << (d & 63)
	}
	return set
}

func (t *Table) compileLeaves() error {
	for _, c := range t.conds {
		var leaves []*expr.Expr
		for _, src := range c.Leaves() {
			e, err := expr.CompileBool(src, t.plan)
			if err != nil {
				return err
			}
			leaves = append(leaves, e)
		}
		t.leaves = append(t.leaves, leaves)
	}
	return nil
}

// Mismatches returns how many comparisons met a value of another type.
func (t *Table) Mismatches() int64 {
	n := t.set.Mismatches()
	for k := range t.rules {
		if e := t.rules[k].edit; e != nil {
			n += e.Mismatches()
		}
	}
	return n
}

// Describe says in words what a table holds.
func (t *Table) Describe() string {
	var fields []string
	for _, f := range t.plan.Fields {
		fields = append(fields, f.Path)
	}
	return strings.Join(fields, ", ")
}
