package sigma

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
)

// A matcher is what the key of a selection says: a field, and how it is compared.
type matcher struct {
	field   string // as the expression language writes it
	op      string // equals where it is empty
	all     bool   // all values must match
	cased   bool   // upper and lower case differ
	windash bool   // - and / before an option are one, as are the dashes of Unicode
	flags   string // of a regular expression
	record  bool   // the field is the whole record
	other   bool   // the value is the name of another field

	text   func(string) []byte   // the bytes of a value, where they are not its own; may be nil
	base64 func([]byte) []string // how they may stand in base64; nil where they do not
}

// keywords finds words anywhere in a record.
var keywords = matcher{field: "_value", op: "contains", record: true}

// ops are the modifiers that say how a value is compared; a key has one at most.
var ops = []string{"contains", "startswith", "endswith", "re", "cidr", "exists", "lt", "lte", "gt", "gte"}

// others are the modifiers that may stand beside an op.
var others = map[string]func(*matcher){
	"all":     func(m *matcher) { m.all = true },
	"cased":   func(m *matcher) { m.cased = true },
	"windash": func(m *matcher) { m.windash = true },
	"i":       func(m *matcher) { m.flags += "i" },
	"m":       func(m *matcher) { m.flags += "m" },
	"s":       func(m *matcher) { m.flags += "s" },

	"fieldref":     func(m *matcher) { m.other = true },
	"base64":       func(m *matcher) { m.base64 = whole },
	"base64offset": func(m *matcher) { m.base64 = shifted },
	"utf16":        func(m *matcher) { m.text = marked },
	"utf16le":      func(m *matcher) { m.text = littleEndian },
	"utf16be":      func(m *matcher) { m.text = bigEndian },
	"wide":         func(m *matcher) { m.text = littleEndian },
}

// unsupported are modifiers of Sigma that are known and refused.
var unsupported = []string{
	"expand", "minute", "hour", "day", "week", "month", "year", "neq",
}

// matcher reads a key: FIELD|MODIFIER|….
func (p *parser) matcher(key *yaml.Node) (matcher, error) {
	parts := strings.Split(key.Value, "|")
	m := matcher{field: expr.QuoteField(parts[0])}
	if parts[0] == "" {
		m = keywords
		m.op = ""
	}
	if strings.Contains(parts[0], "`") {
		return m, p.Errorf(key, "", "field %q: a backquote cannot be part of a name", parts[0])
	}
	for _, name := range parts[1:] {
		if err := p.modify(&m, key, name); err != nil {
			return m, err
		}
	}
	if m.record && m.op == "" {
		m.op = "contains"
	}
	return m, p.combined(&m, key)
}

// combined refuses modifiers that mean nothing together.
func (p *parser) combined(m *matcher, key *yaml.Node) error {
	switch {
	case m.flags != "" && m.op != "re":
		return p.Errorf(key, "as in field|re|i", "the modifiers i, m and s belong behind re")
	case m.windash && !m.textual():
		return p.Errorf(key, "", "the modifier windash does not go with %s", m.op)
	case m.cased && !m.textual():
		return p.Errorf(key, "", "the modifier cased does not go with %s", m.op)
	case m.record && m.op != "contains" && m.op != "re":
		return p.Errorf(key, "", "the modifier %s wants a field", m.op)
	case m.text != nil && m.base64 == nil:
		return p.Errorf(key, "as in field|wide|base64offset|contains", "what is encoded in UTF-16 is to be in base64, too")
	case m.base64 != nil && (m.windash || !m.textual()):
		return p.Errorf(key, "", "base64 goes with contains, startswith and endswith only")
	case m.other && (m.record || m.windash || m.base64 != nil || !m.textual()):
		return p.Errorf(key, "", "fieldref goes with contains, startswith and endswith only, and wants a field")
	}
	return nil
}

// textual reports whether values are patterns.
func (m *matcher) textual() bool {
	return m.op == "" || m.op == "contains" || m.op == "startswith" || m.op == "endswith"
}

func (p *parser) modify(m *matcher, key *yaml.Node, name string) error {
	set, known := others[name]
	switch {
	case known:
		set(m)
	case slices.Contains(ops, name) && m.op != "":
		return p.Errorf(key, "", "the modifiers %s and %s do not go together", m.op, name)
	case slices.Contains(ops, name):
		m.op = name
	case slices.Contains(unsupported, name):
		return p.Errorf(key, "", "the modifier %s is not supported", name)
	default:
		names := append(slices.Sorted(maps.Keys(others)), ops...)
		return p.Errorf(key, hint(name, names), "unknown modifier %q", name)
	}
	return nil
}
