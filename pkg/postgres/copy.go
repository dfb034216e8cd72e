package postgres

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// appendRow appends record i as a line of COPY's text format. A value that its
// column cannot hold goes to the fields that are no columns.
func (l *layout) appendRow(dst []byte, b *record.Batch, i int) ([]byte, error) {
	dst = l.appendOrigin(dst, b, i)
	l.shape.Row(b, i)
	for k, v := range l.shape.Cells {
		var ok bool
		start := len(dst)
		if dst, ok = l.appendCell(dst, b, v, l.kinds[k]); !ok {
			dst = dst[:start]
			if err := l.misfit(b, i, k); err != nil {
				return dst, err
			}
			dst = append(dst, `\N`...)
		}
		dst = append(dst, '\t')
	}
	if l.scratch = l.shape.AppendRest(l.scratch[:0]); len(l.scratch) > 0 {
		dst = appendJSON(dst, l.scratch)
	} else {
		dst = append(dst, `\N`...)
	}
	return append(dst, '\n'), nil
}

func (l *layout) appendOrigin(dst []byte, b *record.Batch, i int) []byte {
	o := b.Origin
	if o == nil {
		dst = append(dst, `\N`+"\t"+`\N`+"\t"+`\N`+"\t"...)
	} else {
		dst = append(appendText(dst, []byte(o.Source)), '\t')
		dst = append(strconv.AppendInt(dst, int64(o.Partition), 10), '\t')
		if table.HasPlace(o) {
			dst = append(strconv.AppendInt(dst, b.Recs[i].Offset, 10), '\t')
		} else {
			dst = append(dst, `\N`+"\t"...)
		}
	}
	if len(l.origin) > 3 {
		dst = append(strconv.AppendInt(dst, int64(b.Recs[i].Part), 10), '\t')
	}
	return dst
}

// misfit moves cell k of record i to the rest. A row must not lose its key.
func (l *layout) misfit(b *record.Batch, i, k int) error {
	if slices.Contains(l.unique, k) {
		return fmt.Errorf("column %q cannot hold the key %s of the record at offset %d", l.shape.Names[k],
			b.AppendJSON(nil, l.shape.Cells[k]), b.Recs[i].Offset)
	}
	l.shape.Misfit(b, k)
	return nil
}

// appendCell appends a value for a column of a kind, and reports whether that can
// hold it.
func (l *layout) appendCell(dst []byte, b *record.Batch, v record.Value, k kind) ([]byte, bool) {
	if v.Kind() == record.Missing {
		return append(dst, `\N`...), true
	}
	switch k {
	case text:
		return appendText(dst, b.Text(v)), true
	case boolean:
		switch v.Kind() {
		case record.True:
			return append(dst, 't'), true
		case record.False:
			return append(dst, 'f'), true
		default:
			return dst, false
		}
	case jsonb:
		l.scratch = b.AppendJSON(l.scratch[:0], v)
		return appendJSON(dst, l.scratch), true
	default:
		return appendNumber(dst, b, v, k)
	}
}

const maxDigits = 1000 // of a number that is kept as it is

// appendNumber appends a number, or text that is one: as it is into numeric, unless
// it has an exponent, else as the nearest float64.
func appendNumber(dst []byte, b *record.Batch, v record.Value, k kind) ([]byte, bool) {
	switch v.Kind() {
	case record.Number, record.String:
	default:
		return dst, false
	}
	raw := b.Raw(v)
	f, ok := b.Num(v)
	switch {
	case !ok || f-f != 0:
		return dst, false
	case k == numeric && len(raw) < maxDigits && !bytes.ContainsAny(raw, "eE"):
		return append(dst, raw...), true
	case k == bigint:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return strconv.AppendInt(dst, n, 10), err == nil
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), true
}

var replacement = []byte("\uFFFD")

// appendText appends text as COPY wants it. PostgreSQL's text is UTF-8 without
// NUL: what is not becomes U+FFFD.
func appendText(dst, s []byte) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), replacement...)
				start = i + 1
			}
			i += n
			continue
		}
		if c == 0 || c == '\\' || c == '\n' || c == '\r' || c == '\t' {
			dst = append(dst, s[start:i]...)
			start = i + 1
			switch c {
			case 0:
				dst = append(dst, replacement...)
			case '\\':
				dst = append(dst, `\\`...)
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\t':
				dst = append(dst, `\t`...)
			}
		}
		i++
	}
	return append(dst, s[start:]...)
}

// appendJSON appends a JSON text as COPY wants it, less what jsonb does not take:
// escapes of NUL and halves of surrogate pairs become U+FFFD, numbers beyond all
// measure become strings, and so does what is no JSON within (records are not
// checked to the last digit).
func appendJSON(dst, s []byte) []byte {
	if !json.Valid(s) {
		s = record.AppendQuoted(nil, s)
	}
	if !bytes.Contains(s, []byte(`\u`)) && !bytes.ContainsAny(s, "eE") {
		return appendText(dst, s)
	}
	return appendText(dst, tame(s))
}

// tame returns JSON that jsonb takes.
func tame(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		n := 1
		switch c := s[i]; {
		case c == '"':
			n = stringEnd(s[i:])
			out = tameString(out, s[i:i+n])
		case c == '-' || c >= '0' && c <= '9':
			n = numberEnd(s[i:])
			out = tameNumber(out, s[i:i+n])
		default:
			out = append(out, c)
		}
		i += n
	}
	return out
}

// stringEnd returns the length of the JSON string that s begins with.
func stringEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

func tameString(out, s []byte) []byte {
	if !bytes.Contains(s, []byte(`\u`)) || len(s) < 2 {
		return append(out, s...)
	}
	inside := record.AppendUnescaped(nil, s[1:len(s)-1])
	return record.AppendQuoted(out, bytes.ReplaceAll(inside, []byte{0}, replacement))
}

// numberEnd returns the length of the JSON number that s begins with.
func numberEnd(s []byte) int {
	for i, c := range s {
		if !(c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E') {
			return i
		}
	}
	return len(s)
}

// tameNumber quotes a number whose exponent has more than three digits.
func tameNumber(out, s []byte) []byte {
	e := bytes.IndexAny(s, "eE")
	if e < 0 || len(bytes.TrimLeft(s[e+1:], "+-0")) <= 3 {
		return append(out, s...)
	}
	return append(append(append(out, '"'), s...), '"')
}
