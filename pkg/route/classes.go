package route

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/rules"
)

// The classes of urgency, the most urgent first. What is in none of the others is
// low.
const (
	critical = "critical"
	high     = "high"
	normal   = "normal"
	low      = "low"
)

// DefaultClasses is the file of classes that is used where none is named.
const DefaultClasses = `# What makes a record urgent: a condition, or several of which one must hold. The
# first class that a record is in counts; what is in none is low.
critical:
  - exception =~ "OutOfMemory|StackOverflow" or message =~ "OutOfMemory|StackOverflow"
  - status >= 500
  - message =~ "(?is)database.*down"
high:
  - status >= 400
  - latency_ms > 1000
  - has(exception)
normal: level >= ERROR
to: {critical: kafka:logs-critical, high: kafka:logs-high, normal: kafka:logs-normal, low: kafka:logs-low}
`

// ParseClasses reads a file of classes as rules of which the first one counts: the
// name of a rule is its class. Its errors are as those of Parse.
func ParseClasses(name string, text []byte) (*File, error) {
	p := &classParser{parser: parser{Doc: rules.Doc{Name: name}, file: &File{Name: name}}, conds: map[string]*yaml.Node{}}
	root, err := p.Root(text)
	if err != nil {
		return nil, err
	}
	p.to = map[string][]string{}
	for _, class := range []string{critical, high, normal, low} {
		p.to[class] = []string{"kafka:logs-" + class}
	}
	err = p.Each(root,
		rules.Key{Name: critical, Read: p.class(critical)},
		rules.Key{Name: high, Read: p.class(high)},
		rules.Key{Name: normal, Read: p.class(normal)},
		rules.Key{Name: "to", Read: p.topics},
		rules.Key{Name: "tests", Read: p.tests},
	)
	if err != nil {
		return nil, err
	}
	return p.rules(root), p.checkTests()
}

// IsClasses reports whether a text is a file of classes.
func IsClasses(text []byte) bool {
	root, err := rules.Doc{}.Root(text)
	if err != nil {
		return false
	}
	for k := 0; k < len(root.Content); k += 2 {
		if slices.Contains([]string{critical, high, normal}, root.Content[k].Value) {
			return true
		}
	}
	return false
}

// IsEmpty reports whether a text says nothing.
func IsEmpty(text []byte) bool {
	root, err := rules.Doc{}.Root(text)
	return err == nil && len(root.Content) == 0
}

type classParser struct {
	parser
	conds map[string]*yaml.Node
	texts map[string]string
	to    map[string][]string
}

// class reads the conditions of a class.
func (p *classParser) class(name string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		var list []string
		if err := p.Texts(n, &list); err != nil {
			return err
		}
		if len(list) == 0 {
			return p.Errorf(n, "", "the class %q has no condition", name)
		}
		if p.texts == nil {
			p.texts = map[string]string{}
		}
		p.texts[name], p.conds[name] = list[0], n
		if len(list) > 1 {
			p.texts[name] = "(" + strings.Join(list, ") or (") + ")"
		}
		return nil
	}
}

// topics reads where each class goes.
func (p *classParser) topics(n *yaml.Node) error {
	var keys []rules.Key
	for _, class := range []string{critical, high, normal, low} {
		keys = append(keys, rules.Key{Name: class, Read: func(n *yaml.Node) error {
			var to []string
			err := p.endpoints(n, &to)
			p.to[class] = to
			return err
		}})
	}
	return p.Each(n, keys...)
}

// rules returns the rules that the classes are.
func (p *classParser) rules(root *yaml.Node) *File {
	for k, class := range []string{critical, high, normal} {
		if p.texts[class] == "" {
			continue
		}
		r := Rule{
			Name: class, Priority: float64(k), Cond: p.texts[class], To: p.to[class], Sample: 1, doc: p.Doc, node: root,
		}
		if n := p.conds[class]; n.Kind == yaml.ScalarNode {
			r.cond = n
		} else {
			r.node = n
		}
		p.file.Rules = append(p.file.Rules, r)
	}
	p.file.Default, p.file.First = p.to[low], true
	return p.file
}
