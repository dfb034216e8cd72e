package route

import (
	"encoding/binary"

	"github.com/logctl/logctl/pkg/record"
)

// An Explanation says of one record which rules matched, why, and where it goes.
// The encoding is JSON's.
type Explanation struct {
	Record  string   `json:"record"` // where it stands: file:line, or topic/partition@offset
	Rules   []string `json:"rules"`  // that matched
	To      []string `json:"to"`
	Default bool     `json:"default,omitempty"` // no rule matched
	Why     []Reason `json:"why"`
	Sends   []Form   `json:"sends,omitempty"` // changed forms of the record
}

// A Reason is the verdict of one rule and what it rests on.
type Reason struct {
	Rule    string `json:"rule"`
	Matched bool   `json:"matched"`
	LeftOut string `json:"left_out,omitempty"` // sample or limit: it matched and sends nothing
	Tests   []Fact `json:"tests"`
}

// A Fact is a test of a rule, its outcome, and the fields that it looked at.
type Fact struct {
	Test   string         `json:"test"`
	Holds  bool           `json:"holds"`
	Fields map[string]any `json:"fields,omitempty"`
}

// A Form is a record as it is sent to a destination.
type Form struct {
	To     string `json:"to"`
	Record string `json:"record"`
}

// Explain explains record i of b, which Prepare has decided. The verdicts are of
// the rules that matched, and of all with every. The table was compiled with
// Options.Explain.
func (t *Table) Explain(b *record.Batch, i int, every bool) Explanation {
	t.gate(b, i)
	e := Explanation{Rules: []string{}, To: []string{}, Why: []Reason{}}
	for k := range t.rules {
		matched := t.conds[k].True(b, i) && !(t.first && len(e.Rules) > 0)
		if matched {
			e.Rules = append(e.Rules, t.rules[k].name)
		}
		if matched || every {
			e.Why = append(e.Why, Reason{t.rules[k].name, matched, t.leftOut(b, i, k), t.facts(b, i, k)})
		}
	}
	e.Default = len(e.Rules) == 0
	for d, name := range t.names {
		if b.Words(d >> 6)[i]>>(d&63)&1 == 0 {
			continue
		}
		e.To = append(e.To, name)
		if b.Words(t.words)[i] == 0 {
			continue
		}
		if form, ok := t.formOf(b, i, d); ok {
			e.Sends = append(e.Sends, Form{name, string(b.Bytes(form))})
		}
	}
	return e
}

// leftOut says what kept rule k from sending record i; "" for nothing.
func (t *Table) leftOut(b *record.Batch, i, k int) string {
	for entries := t.matched(b, i); len(entries) > 0; entries = entries[ruleSize:] {
		switch entry := binary.LittleEndian.Uint32(entries); {
		case entry>>ruleShift != uint32(k):
		case entry&sampledOut != 0:
			return "sample"
		case entry&limitedOut != 0:
			return "limit"
		}
	}
	return ""
}

// facts are the tests that rule k is made of.
func (t *Table) facts(b *record.Batch, i, k int) (list []Fact) {
	for _, leaf := range t.leaves[k] {
		f := Fact{Test: leaf.String(), Holds: leaf.True(b, i)}
		for _, path := range leaf.Fields() {
			if f.Fields == nil {
				f.Fields = map[string]any{}
			}
			f.Fields[path] = t.valueOf(b, i, path)
		}
		list = append(list, f)
	}
	return list
}

// valueOf returns the value of a field as JSON has it.
func (t *Table) valueOf(b *record.Batch, i int, path string) any {
	v := b.At(t.plan.Column(path), i)
	switch v.Kind() {
	case record.Missing:
		return nil
	case record.True, record.False:
		return v.Kind() == record.True
	case record.Number:
		if f, ok := b.Num(v); ok {
			return f
		}
	}
	mark := len(b.Data)
	text := string(b.Text(v))
	b.Data = b.Data[:mark]
	return text
}
