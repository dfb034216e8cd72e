package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
)

// A Doc reads a file of rules node by node, so that errors begin with FILE:LINE:COLUMN.
// Name is the file, for messages. All its errors are usage errors.
type Doc struct{ Name string }

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n  )?line (\d+): (.*)`)

// yamlHint says what to try against what YAML says of a file.
func yamlHint(what string) string {
	switch {
	case strings.HasPrefix(what, "mapping values"):
		return "the file is YAML: text with a colon at its end, or before a space, stands in quotes, as in to: 'null:'"
	case strings.Contains(what, "cannot start any token"):
		return "the file is YAML: lines are indented by spaces, and text that begins with a mark stands in quotes"
	}
	return "the file is YAML"
}

// Root parses the text of a file, YAML or JSON, and returns its mapping.
func (d Doc) Root(text []byte) (*yaml.Node, error) {
	root, err := d.Value(text)
	switch {
	case err != nil:
		return nil, err
	case root == nil:
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}, nil
	case root.Kind != yaml.MappingNode:
		return nil, d.Errorf(root, "", "want keys and values, not %s", kindOf(root))
	}
	return root, nil
}

// Value parses a text, YAML or JSON, and returns what is in it, nil for nothing.
func (d Doc) Value(text []byte) (*yaml.Node, error) {
	if json.Valid(text) && utf8.Valid(text) {
		return fromJSON(text), nil
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) { // an empty file
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			return nil, fault.Usagef(yamlHint(m[2]), "%s:%s: %s", d.Name, m[1], m[2])
		}
		return nil, fault.Usagef("the file is YAML", "%s: %s", d.Name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if hasAlias(&doc) { // decoding finds those that hold themselves, or that swell
		var v any
		if err := doc.Decode(&v); err != nil {
			return nil, fault.Usagef("", "%s: %s", d.Name, strings.TrimPrefix(err.Error(), "yaml: "))
		}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], d.last(dec)
}

// last refuses a second document: what it says would count for nothing.
func (d Doc) last(dec *yaml.Decoder) error {
	var more yaml.Node
	err := dec.Decode(&more)
	switch {
	case errors.Is(err, io.EOF), err == nil && (len(more.Content) == 0 || more.Content[0].Tag == "!!null"):
		return nil
	case err == nil:
		return d.Errorf(more.Content[0], "leave out the line ---, or give each a file of its own",
			"a line --- begins something else, which does not count")
	}
	return fault.Usagef("the file is YAML", "%s: %s", d.Name, strings.TrimPrefix(err.Error(), "yaml: "))
}

// Errorf returns an error that begins with the place of n.
func (d Doc) Errorf(n *yaml.Node, hint, format string, args ...any) error {
	return fault.Usagef(hint, "%s:%d:%d: %s", d.Name, n.Line, n.Column, fmt.Sprintf(format, args...))
}

// Wrap adds the place of n to an error about its value, and keeps the hint. An error in
// an expression gets its place within the expression if that is on one line.
func (d Doc) Wrap(n *yaml.Node, what string, err error) error {
	at := *n
	oneLine := n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if se, ok := errors.AsType[*expr.SyntaxError](err); ok && oneLine {
		at.Column += se.Pos
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			at.Column++
		}
	}
	return d.Errorf(&at, fault.HintOf(err), "%s%v", what, err)
}

// A Key says what to do with the value of a key.
type Key struct {
	Name string
	Read func(value *yaml.Node) error
}

// Each reads the keys of a mapping, in the order of the file. An unknown key is an
// error that names the nearest one; so is a key that occurs twice.
func (d Doc) Each(n *yaml.Node, keys ...Key) error {
	names := make([]string, len(keys))
	for k := range keys {
		names[k] = keys[k].Name
	}
	return d.Pairs(n, func(key, value *yaml.Node) error {
		k := slices.Index(names, key.Value)
		if k < 0 {
			hint := fault.DidYouMean(key.Value, names)
			if hint == "" {
				hint = "one of " + strings.Join(names, ", ")
			}
			return d.Errorf(key, hint, "unknown key %q", key.Value)
		}
		return keys[k].Read(value)
	})
}

// Pairs calls f with each key and value of a mapping.
func (d Doc) Pairs(n *yaml.Node, f func(key, value *yaml.Node) error) error {
	if n = alias(n); n.Kind != yaml.MappingNode {
		return d.Errorf(n, "", "want keys and values, not %s", kindOf(n))
	}
	seen := map[string]bool{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		key, value := n.Content[k], alias(n.Content[k+1])
		if key.Kind != yaml.ScalarNode {
			return d.Errorf(key, "", "want a name as key, not %s", kindOf(key))
		}
		if seen[key.Value] {
			return d.Errorf(key, "leave one of them out", "the key %q stands here twice", key.Value)
		}
		seen[key.Value] = true
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Items calls f with each entry of a list, or with n itself if it is not a list.
func (d Doc) Items(n *yaml.Node, f func(item *yaml.Node) error) error {
	if n = alias(n); n.Kind != yaml.SequenceNode {
		return f(n)
	}
	for _, item := range n.Content {
		if err := f(alias(item)); err != nil {
			return err
		}
	}
	return nil
}

// Text reads a scalar.
func (d Doc) Text(n *yaml.Node, to *string) error {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return d.Errorf(n, "", "want text, not %s", kindOf(n))
	}
	*to = n.Value
	return nil
}

// Texts reads a list of scalars, or a single one.
func (d Doc) Texts(n *yaml.Node, to *[]string) error {
	return d.Items(n, func(item *yaml.Node) error {
		var text string
		if err := d.Text(item, &text); err != nil {
			return err
		}
		*to = append(*to, text)
		return nil
	})
}

// Number reads a number between lo and hi.
func (d Doc) Number(n *yaml.Node, lo, hi float64, to *float64) error {
	f, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(f >= lo && f <= hi) { // NaN is no number, either
		return d.Errorf(n, "", "want a number between %v and %v, not %s", lo, hi, kindOf(n))
	}
	*to = f
	return nil
}

// hasAlias reports whether something in n stands for another part of the file.
func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// alias returns what n stands for.
func alias(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// kindOf says what a node is, for messages.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}
