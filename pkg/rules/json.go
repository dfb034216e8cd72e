package rules

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// fromJSON returns the nodes of a text that is valid JSON. YAML would take most of it, but
// not every escape, nor keys of any length.
func fromJSON(text []byte) *yaml.Node {
	r := jsonReader{text: text, Decoder: json.NewDecoder(bytes.NewReader(text)), line: 1, column: 1}
	r.UseNumber()
	return r.value()
}

// A jsonReader reads the tokens of valid JSON, and knows where they stand.
type jsonReader struct {
	*json.Decoder
	text         []byte
	at           int // as far as lines and columns are counted
	line, column int
}

// value reads a value.
func (r *jsonReader) value() *yaml.Node {
	n := r.node()
	for n.Kind != yaml.ScalarNode && r.More() {
		n.Content = append(n.Content, r.value())
	}
	if n.Kind != yaml.ScalarNode {
		_, _ = r.Token() // its end
	}
	return n
}

// node reads a scalar, or the begin of a value that has others in it.
func (r *jsonReader) node() *yaml.Node {
	r.skip()
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line, Column: r.column}
	token, _ := r.Token()
	switch v := token.(type) {
	case json.Delim:
		n.Kind, n.Tag, n.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
		if v == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
	case string:
		n.Tag, n.Value, n.Style = "!!str", v, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
		if bytes.ContainsAny([]byte(v), ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", "false"
		if v {
			n.Value = "true"
		}
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

// skip counts lines and columns to where the next token begins.
func (r *jsonReader) skip() {
	to := int(r.InputOffset())
	to += len(r.text[to:]) - len(bytes.TrimLeft(r.text[to:], " \t\r\n,:"))
	for ; r.at < to; r.at++ {
		switch c := r.text[r.at]; {
		case c == '\n':
			r.line, r.column = r.line+1, 1
		case utf8.RuneStart(c):
			r.column++
		}
	}
}
