package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
)

func littleEndian(text string) []byte { return inUTF16(binary.LittleEndian, text) }

func bigEndian(text string) []byte { return inUTF16(binary.BigEndian, text) }

// marked is UTF-16 with a mark of its order before it.
func marked(text string) []byte { return littleEndian("\ufeff" + text) }

func inUTF16(order binary.AppendByteOrder, text string) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

// whole returns bytes in base64.
func whole(b []byte) []string { return []string{base64.StdEncoding.EncodeToString(b)} }

// shifted returns what of bytes is always the same in the base64 of more, by how
// many bytes before them are left over from groups of three.
func shifted(b []byte) (all []string) {
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), b...))
		if (before+len(b))%3 > 0 {
			text = text[:len(text)-1] // what follows is in it, too
		}
		all = append(all, text[(before*8+5)/6:])
	}
	return all
}

// shortestShifted is how long a value must be for something of it to be left.
const shortestShifted = 3

// encoded returns the expression for a value in base64.
func (p *parser) encoded(m matcher, n *yaml.Node) (string, error) {
	var text strings.Builder
	wild := expr.Glob(n.Value, func(run string) string { text.WriteString(run); return "" })
	if n.Tag == "!!null" || wild != "" {
		return "", p.Errorf(n, "\\* and \\? stand for themselves", "want text to encode, without * and ?")
	}
	b := []byte(text.String())
	if m.text != nil {
		b = m.text(text.String())
	}
	if len(b) < shortestShifted {
		return "", p.Errorf(n, "", "%q is too short: want %d bytes to encode", n.Value, shortestShifted)
	}
	var some []string
	for _, v := range m.base64(b) {
		some = append(some, m.matches(v, func(text string) string { return text }))
	}
	return joined(" or ", some), nil
}

// reference returns the expression for a value that is the name of a field.
func (p *parser) reference(m matcher, n *yaml.Node) (string, error) {
	if n.Value == "" || strings.Contains(n.Value, "`") {
		return "", p.Errorf(n, "as in a|fieldref: b", "want the name of a field, not %q", n.Value)
	}
	a, b := m.field, expr.QuoteField(n.Value)
	if !m.cased {
		a, b = "lower("+a+")", "lower("+b+")"
	}
	switch m.op {
	case "contains":
		return "contains(" + a + ", " + b + ")", nil
	case "startswith":
		return "starts_with(" + a + ", " + b + ")", nil
	case "endswith":
		return "ends_with(" + a + ", " + b + ")", nil
	}
	return a + " == " + b, nil
}
