package route

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/rules"
	"github.com/logctl/logctl/pkg/sigma"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/transform"
)

// A File is a file of rules as it was read.
type File struct {
	Name    string
	Rules   []Rule   // in the order in which they are looked at
	Default []string // where records go that no rule matches; nil where nothing is said
	First   bool     // only the first rule that holds counts
	Tests   []Test
}

// Certain has every rule send all that it matches, whatever its sample and its limit: what
// an example expects is not left to chance, or to the examples before it.
func (f *File) Certain() {
	for k := range f.Rules {
		f.Rules[k].Sample, f.Rules[k].Limit = 1, limit.Schedule{}
	}
}

// A Rule says which records go where, and what is changed in them on the way.
type Rule struct {
	Name     string
	Priority float64     // lower first; without one a rule comes after all that have one
	Cond     string      // an expression: when, match and sigma of the file
	Sigma    *sigma.Rule // that is part of Cond; nil for none
	To       []string
	Edit     transform.EditSpec
	Sample   float64        // the share of what matches that is sent; 1 for all
	Limit    limit.Schedule // how much of it is sent, at most
	Rate     string         // Limit as it was written

	doc  rules.Doc
	node *yaml.Node
	cond *yaml.Node // what match says
	set  map[string]*yaml.Node
	done map[string]string // what becomes of fields: "set", …
	made map[string]bool   // fields that are set, or that others are renamed to
}

// A Reader returns what a file holds that a rule names, such as a Sigma rule. The
// path is as the rule has it.
type Reader func(path string) ([]byte, error)

// Parse reads a file of rules. Its errors are wrong usage and begin with
// NAME:LINE:COLUMN. Without a reader, as for rules that come from elsewhere, none
// may name a file.
func Parse(name string, text []byte, read Reader) (*File, error) {
	p := &parser{Doc: rules.Doc{Name: name}, file: &File{Name: name}, read: read}
	root, err := p.Root(text)
	if err != nil {
		return nil, err
	}
	if sigma.Is(root) {
		return nil, p.Errorf(root, "name it in a file of rules: rules: [{name: x, sigma: "+name+", to: kafka:x}]",
			"this is a Sigma rule, which does not say where records go")
	}
	err = p.Each(root,
		rules.Key{Name: "rules", Read: p.rules},
		rules.Key{Name: "default", Read: func(n *yaml.Node) error { return p.endpoints(n, &p.file.Default) }},
		rules.Key{Name: "tests", Read: p.tests},
	)
	if err == nil {
		err = p.checkTests()
	}
	slices.SortStableFunc(p.file.Rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return p.file, err
}

// NoPriority is the priority of a rule that has none.
const NoPriority = 1e12

type parser struct {
	rules.Doc
	file *File
	read Reader
}

func (p *parser) rules(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return p.Errorf(n, "as in rules: [{name: errors, …}]", "want a list of rules")
	}
	return p.Items(n, func(item *yaml.Node) error {
		r, err := p.rule(item)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(p.file.Rules, func(other Rule) bool { return other.Name == r.Name }) {
			return p.Errorf(item, "give one of them another name", "two rules are called %q", r.Name)
		}
		p.file.Rules = append(p.file.Rules, r)
		return nil
	})
}

// ParseRule reads one rule, as it stands in the list of a file. It may name no
// files.
func ParseRule(name string, text []byte) (Rule, error) {
	p := &parser{Doc: rules.Doc{Name: name}, file: &File{Name: name}}
	root, err := p.Root(text)
	if err != nil {
		return Rule{}, err
	}
	return p.rule(root)
}

func (p *parser) rule(n *yaml.Node) (Rule, error) {
	r := Rule{Priority: NoPriority, Sample: 1, doc: p.Doc, node: n, done: map[string]string{}, made: map[string]bool{}}
	var when, match, detection string
	err := p.Each(n,
		rules.Key{Name: "name", Read: func(n *yaml.Node) error { return p.Text(n, &r.Name) }},
		rules.Key{Name: "priority", Read: func(n *yaml.Node) error { return p.Number(n, -1e9, 1e9, &r.Priority) }},
		rules.Key{Name: "when", Read: func(n *yaml.Node) (err error) { when, err = p.when("", n); return err }},
		rules.Key{Name: "match", Read: func(n *yaml.Node) error { r.cond = n; return p.Text(n, &match) }},
		rules.Key{Name: "sigma", Read: func(n *yaml.Node) (err error) { detection, err = p.sigma(n, &r); return err }},
		rules.Key{Name: "to", Read: func(n *yaml.Node) error { return p.endpoints(n, &r.To) }},
		rules.Key{Name: "set", Read: func(n *yaml.Node) error { return p.set(n, &r) }},
		rules.Key{Name: "drop", Read: func(n *yaml.Node) error { return p.drop(n, &r) }},
		rules.Key{Name: "rename", Read: func(n *yaml.Node) error { return p.rename(n, &r) }},
		rules.Key{Name: "redact", Read: func(n *yaml.Node) error { return p.redact(n, &r) }},
		rules.Key{Name: "sample", Read: func(n *yaml.Node) error { return p.Number(n, 0, 1, &r.Sample) }},
		rules.Key{Name: "limit", Read: func(n *yaml.Node) error { return p.limit(n, &r) }},
	)
	switch {
	case err != nil:
		return r, err
	case r.Name == "":
		return r, p.Errorf(n, "as in name: errors", "a rule has no name")
	case r.Name == DefaultKey:
		return r, p.Errorf(n, "in a topic of rules it is the key of the default", "no rule may be called %q", r.Name)
	case when == "" && match == "" && detection == "":
		return r, p.Errorf(n, "when: {level: ERROR}, match: level >= ERROR or sigma: FILE", "rule %q matches nothing", r.Name)
	case len(r.To) == 0:
		return r, p.Errorf(n, "to: 'null:' drops what matches", "rule %q sends nowhere", r.Name)
	}
	r.Cond = join(when, match, detection)
	return r, nil
}

// join joins conditions by and; those that are empty are none.
func join(conds ...string) string {
	conds = slices.DeleteFunc(conds, func(c string) bool { return c == "" })
	if len(conds) == 1 {
		return conds[0]
	}
	return "(" + strings.Join(conds, ") and (") + ")"
}

// sigma reads the Sigma rule of a file and returns what it detects.
func (p *parser) sigma(n *yaml.Node, r *Rule) (string, error) {
	var path string
	if err := p.Text(n, &path); err != nil {
		return "", err
	}
	if p.read == nil {
		return "", p.Errorf(n, "write sigma: into the file that --rules names; --watch takes it over",
			"sigma: %s: rules that come by HTTP or from a topic may not name files", path)
	}
	text, err := p.read(path)
	if err != nil {
		return "", p.Wrap(n, "sigma: ", err)
	}
	if r.Sigma, err = sigma.Parse(path, text); err != nil {
		return "", p.Wrap(n, "sigma: ", err)
	}
	return r.Sigma.Cond, nil
}

// endpoints reads where to send: an endpoint or a list of them.
func (p *parser) endpoints(n *yaml.Node, to *[]string) error {
	return p.Items(n, func(item *yaml.Node) error {
		var name string
		if err := p.Text(item, &name); err != nil {
			return err
		}
		e, err := stream.ParseEndpoint(name)
		if err != nil {
			return p.Wrap(item, "", err)
		}
		if e.Scheme == stream.Kafka && (e.Pattern || len(e.Topics) != 1) {
			return p.Errorf(item, "list them one by one", "endpoint %q: want one topic to write to", name)
		}
		if !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
		return nil
	})
}

func (p *parser) set(n *yaml.Node, r *Rule) error {
	r.set = map[string]*yaml.Node{}
	return p.Pairs(n, func(key, value *yaml.Node) error {
		var src string
		if err := p.Text(value, &src); err != nil {
			return err
		}
		r.set[key.Value] = value
		r.Edit.Set = append(r.Edit.Set, expr.Assignment{Name: key.Value, Src: src})
		return cmp.Or(p.once(key, r, key.Value, "set"), p.makes(key, r, key.Value))
	})
}

func (p *parser) drop(n *yaml.Node, r *Rule) error {
	return p.Items(n, func(item *yaml.Node) error {
		if err := p.Texts(item, &r.Edit.Drop); err != nil {
			return err
		}
		return p.once(item, r, item.Value, "dropped")
	})
}

func (p *parser) rename(n *yaml.Node, r *Rule) error {
	return p.Pairs(n, func(key, value *yaml.Node) error {
		to := transform.Rename{From: key.Value}
		if err := p.Text(value, &to.To); err != nil {
			return err
		}
		r.Edit.Rename = append(r.Edit.Rename, to)
		return cmp.Or(p.once(key, r, to.From, "renamed"), p.makes(value, r, to.To))
	})
}

// once refuses a second thing to do with a field: one of the two would count silently.
func (p *parser) once(n *yaml.Node, r *Rule, field, what string) error {
	before := cmp.Or(r.done[field], what)
	if r.done[field] = what; before != what {
		return p.Errorf(n, "leave one of them out; set: {new: old} keeps a value under another name",
			"the field %q is %s, and %s too", field, before, what)
	}
	return nil
}

// makes refuses to make a field twice.
func (p *parser) makes(n *yaml.Node, r *Rule, field string) error {
	if r.made[field] {
		return p.Errorf(n, "give one of them another name", "two values become the field %q", field)
	}
	r.made[field] = true
	return nil
}

func (p *parser) redact(n *yaml.Node, r *Rule) error {
	return p.Items(n, func(item *yaml.Node) error {
		if err := p.Texts(item, &r.Edit.Redact); err != nil {
			return err
		}
		if _, err := transform.NewRedactor(r.Edit.Redact); err != nil {
			return p.Wrap(item, "", err)
		}
		return nil
	})
}

func (p *parser) limit(n *yaml.Node, r *Rule) error {
	err := p.Text(n, &r.Rate)
	if err != nil {
		return err
	}
	if r.Limit, err = limit.ParseSchedule(r.Rate); err != nil {
		return p.Wrap(n, "", err)
	}
	return nil
}
