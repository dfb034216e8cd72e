package route

import (
	"bytes"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/rules"
)

// A Book is the text of a file of rules while rules in it are changed one by one.
// What is not changed keeps its place and its comments.
type Book struct {
	rules.Doc
	root *yaml.Node
}

// DefaultKey is the key of a Book's entries under which the default stands.
const DefaultKey = "_default"

// OpenBook reads the text of a file of rules, whose name is for messages.
func OpenBook(name string, text []byte) (*Book, error) {
	b := &Book{Doc: rules.Doc{Name: name}}
	var err error
	b.root, err = b.Root(text)
	return b, err
}

// list returns the node of the list of rules, which it adds where there is none.
func (b *Book) list() *yaml.Node {
	for k := 0; k+1 < len(b.root.Content); k += 2 {
		if b.root.Content[k].Value == "rules" && b.root.Content[k+1].Kind == yaml.SequenceNode {
			return b.root.Content[k+1]
		}
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	b.root.Content = append(b.root.Content, scalar("rules"), list)
	return list
}

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// Put adds a rule, or puts it in the place of the one of its name. It returns the
// name, and whether there was none before.
func (b *Book) Put(text []byte) (name string, added bool, err error) {
	doc := rules.Doc{Name: "rule"}
	node, err := doc.Root(text)
	if err != nil {
		return "", false, err
	}
	r, err := ParseRule(doc.Name, text)
	if err != nil {
		return "", false, err
	}
	list := b.list()
	if k := find(list, r.Name); k >= 0 {
		list.Content[k] = node
		return r.Name, false, nil
	}
	list.Content = append(list.Content, node)
	return r.Name, true, nil
}

// Delete removes a rule and reports whether there was one of the name.
func (b *Book) Delete(name string) bool {
	list := b.list()
	k := find(list, name)
	if k >= 0 {
		list.Content = slices.Delete(list.Content, k, k+1)
	}
	return k >= 0
}

// find returns the place of a rule in a list; -1 where it is not.
func find(list *yaml.Node, name string) int {
	return slices.IndexFunc(list.Content, func(n *yaml.Node) bool { return nameOf(alias(n)) == name })
}

func nameOf(rule *yaml.Node) string {
	for k := 0; k+1 < len(rule.Content) && rule.Kind == yaml.MappingNode; k += 2 {
		if rule.Content[k].Value == "name" {
			return rule.Content[k+1].Value
		}
	}
	return ""
}

func alias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Bytes returns the text of the file.
func (b *Book) Bytes() ([]byte, error) { return encode(b.root) }

func encode(n *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := enc.Encode(n)
	return out.Bytes(), err
}

// Entries returns the rules by name, and the default under DefaultKey: what a
// topic holds that gives a fleet its rules.
func (b *Book) Entries() (map[string][]byte, error) {
	entries := map[string][]byte{}
	for _, n := range b.list().Content {
		text, err := encode(alias(n))
		if err != nil {
			return nil, err
		}
		entries[nameOf(alias(n))] = text
	}
	for k := 0; k+1 < len(b.root.Content); k += 2 {
		if b.root.Content[k].Value != "default" {
			continue
		}
		text, err := encode(b.root.Content[k+1])
		if err != nil {
			return nil, err
		}
		entries[DefaultKey] = text
	}
	return entries, nil
}

// FromEntries returns the file that entries stand for, its rules by name where
// their priorities leave the order open.
func FromEntries(entries map[string][]byte) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	root.Content = append(root.Content, scalar("rules"), list)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		doc := rules.Doc{Name: "rule " + quote(name)}
		n, err := doc.Value(entries[name])
		if err != nil || n == nil {
			return nil, doc.Errorf(&yaml.Node{Line: 1, Column: 1}, "", "want YAML or JSON: %v", err)
		}
		switch {
		case name == DefaultKey:
			root.Content = append(root.Content, scalar("default"), n)
		case nameOf(n) == "":
			return nil, doc.Errorf(n, "as in name: "+quote(name)+", the key of its record", "the rule has no name")
		case nameOf(n) != name:
			return nil, doc.Errorf(n, "the key of a record is the name of its rule",
				"the rule is called %q", nameOf(n))
		default:
			list.Content = append(list.Content, n)
		}
	}
	return encode(root)
}
