package transform

import (
	"slices"
	"strings"
	"sync"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// A field is a name and the value that it is to have.
type field struct {
	name   string
	quoted []byte // "name": as JSON
	value  *expr.Expr
}

// compileFields compiles a list such as `service, ms=latency_ms * 1000`.
func compileFields(src string, plan *record.Plan) ([]field, error) {
	list, err := expr.Assignments(src)
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, a := range list {
		value, err := expr.Compile(a.Src, plan)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(fields, func(f field) bool { return f.name == a.Name }) {
			return nil, fault.Usagef("name one of them otherwise: other=EXPR", "%q: two fields are called %q", src, a.Name)
		}
		fields = append(fields, field{a.Name, append(record.AppendQuoted(nil, a.Name), ':'), value})
	}
	return fields, nil
}

func mismatches(fields []field) (n int64) {
	for _, f := range fields {
		n += f.value.Mismatches()
	}
	return n
}

// Select replaces each record by a JSON object of chosen fields.
type Select struct{ fields []field }

// NewSelect compiles a list of fields: `service, status, ms=latency_ms * 1000`.
func NewSelect(src string, plan *record.Plan) (*Select, error) {
	fields, err := compileFields(src, plan)
	return &Select{fields}, err
}

// Names returns the names of the fields, in order.
func (s *Select) Names() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	return names
}

// Prepare builds the objects.
func (s *Select) Prepare(b *record.Batch) {
	replace(b, func(dst []byte, i int) []byte {
		for k := range s.fields {
			dst = append(dst, "{,"[min(k, 1)])
			dst = append(dst, s.fields[k].quoted...)
			dst = s.fields[k].value.AppendJSON(dst, b, i)
		}
		return append(dst, '}')
	})
}

// Mismatches returns how many comparisons met a value of another type.
func (s *Select) Mismatches() int64 { return mismatches(s.fields) }

// Set adds fields to records, or changes their values. A record that is no JSON object
// becomes one, with its text as "message". All values are computed from the original
// record; parts that are prepared later see the new values.
type Set struct {
	fields []field
	plan   *record.Plan
	once   sync.Once
	cols   [][]int // the columns of the plan that hold each field
}

// NewSet compiles a list of assignments: `severity="high", ms=latency_ms * 1000`.
func NewSet(src string, plan *record.Plan) (*Set, error) {
	list, err := expr.Assignments(src)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		before := strings.TrimRight(src[:a.Pos], " \t\n")
		if before == "" || strings.HasSuffix(before, ",") { // a mere field, which Assignments takes as itself
			return nil, fault.Usagef("as in "+a.Name+"=EXPR", "%q: nothing is said of what to set %q to", src, a.Name)
		}
	}
	fields, err := compileFields(src, plan)
	return &Set{fields: fields, plan: plan}, err
}

// Mismatches returns how many comparisons met a value of another type.
func (s *Set) Mismatches() int64 { return mismatches(s.fields) }

// bind finds the columns to set, once the plan is complete.
func (s *Set) bind() {
	s.cols = make([][]int, len(s.fields))
	for k, f := range s.fields {
		for c, wanted := range s.plan.Fields {
			if wanted.Path == f.name {
				s.cols[k] = append(s.cols[k], c)
			}
		}
	}
}

// Prepare rewrites the records. Fields that a record has keep their place.
func (s *Set) Prepare(b *record.Batch) {
	s.once.Do(s.bind)
	s.rewrite(b)
	values := make([]record.Value, len(s.fields))
	for i := range b.Recs {
		if b.Recs[i].Live() {
			s.fill(b, i, values)
		}
	}
}

// fill puts the new values of record i into the columns, once all are computed.
func (s *Set) fill(b *record.Batch, i int, values []record.Value) {
	for k, cols := range s.cols {
		if len(cols) > 0 {
			values[k] = s.fields[k].value.Value(b, i)
		}
	}
	for k, cols := range s.cols {
		for _, c := range cols {
			b.Col(c)[i] = values[k]
		}
	}
}

// rewrite gives the records their new text.
func (s *Set) rewrite(b *record.Batch) {
	done := make([]bool, len(s.fields))
	replace(b, func(dst []byte, i int) []byte {
		clear(done)
		start := len(dst)
		dst = append(dst, '{')
		dst = s.copyMembers(dst, b, i, done)
		for k := range s.fields {
			if !done[k] {
				dst = separate(dst, start)
				dst = append(dst, s.fields[k].quoted...)
				dst = s.fields[k].value.AppendJSON(dst, b, i)
			}
		}
		return append(dst, '}')
	})
}

// copyMembers appends the members of record i, those that are set with their
// new values, and notes which ones these were.
func (s *Set) copyMembers(dst []byte, b *record.Batch, i int, done []bool) []byte {
	start := len(dst) - 1
	var members codec.Members
	members.Reset(b, b.Recs[i].Value)
	for {
		key, v, ok := members.Next()
		if !ok {
			break
		}
		k := slices.IndexFunc(s.fields, func(f field) bool { return f.name == string(key) })
		if k >= 0 && done[k] {
			continue // a duplicate key: the first one counts
		}
		dst = separate(dst, start)
		if k < 0 {
			dst = append(record.AppendQuoted(dst, key), ':')
			dst = b.AppendJSON(dst, v)
			continue
		}
		done[k] = true
		dst = append(dst, s.fields[k].quoted...)
		dst = s.fields[k].value.AppendJSON(dst, b, i)
	}
	if members.Whole() {
		return dst
	}
	clear(done)
	return s.wrap(dst[:start+1], b, i, done)
}

// wrap appends record i, which is no JSON object, as "message", or what that is
// set to.
func (s *Set) wrap(dst []byte, b *record.Batch, i int, done []bool) []byte {
	dst = append(dst, `"message":`...)
	for k := range s.fields {
		if s.fields[k].name == "message" {
			done[k] = true
			return s.fields[k].value.AppendJSON(dst, b, i)
		}
	}
	return record.AppendQuoted(dst, b.Value(i))
}

// separate appends a comma unless the object that begins at start is empty.
func separate(dst []byte, start int) []byte {
	if len(dst) > start+1 {
		return append(dst, ',')
	}
	return dst
}
