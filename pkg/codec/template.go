package codec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// A template writes each record after a pattern, much as kcat's -f:
//
//	%v, %s  value          %T  time, milliseconds since 1970; -1 where there is none
//	%k      key            %d  time, RFC 3339
//	%t      topic, or file %h  headers: name=value,name=value
//	%p      partition      %%  a percent sign
//	%o      offset         \n \t \r \\ \0 \xHH  a byte
//
// A key or a value that is null is nothing. Nothing is added at the end: a
// record a line takes a \n.
type template struct{ parts []part }

// A part is a verb of a template, or, with verb 0, text.
type part struct {
	verb byte
	text string
}

func newTemplate(pattern string) (*template, error) {
	t := &template{}
	var text strings.Builder
	for i := 0; i < len(pattern); {
		n := 0
		switch c := pattern[i]; {
		case c == '\\':
			var b byte
			if b, n = escapedByte(pattern[i:]); n > 0 {
				text.WriteByte(b)
			}
		case c == '%' && i+1 < len(pattern) && pattern[i+1] == '%':
			text.WriteByte('%')
			n = 2
		case c == '%' && i+1 < len(pattern) && strings.IndexByte("vsktpoTdh", pattern[i+1]) >= 0:
			t.parts = append(t.parts, part{text: text.String()}, part{verb: pattern[i+1]})
			text.Reset()
			n = 2
		case c != '%':
			text.WriteByte(c)
			n = 1
		}
		if n == 0 {
			return nil, templateError(pattern, i)
		}
		i += n
	}
	t.parts = append(t.parts, part{text: text.String()})
	return t, nil
}

// escapedByte reads an escape at the start of s and returns its length, 0
// where it is none.
func escapedByte(s string) (b byte, n int) {
	if len(s) >= 2 {
		if k := strings.IndexByte(`ntr\0`, s[1]); k >= 0 {
			return "\n\t\r\\\x00"[k], 2
		}
	}
	if len(s) >= 4 && s[1] == 'x' {
		v, err := strconv.ParseUint(s[2:4], 16, 8)
		if err == nil {
			return byte(v), 4
		}
	}
	return 0, 0
}

func templateError(pattern string, at int) error {
	what := "verb"
	if pattern[at] == '\\' {
		what = "escape"
	}
	word := pattern[at:min(at+2, len(pattern))]
	return fault.Usagef(`%v value, %k key, %t topic, %p partition, %o offset, %T %d time, %h headers, %% \n \t`,
		"%s", fmt.Sprintf("template: unknown %s %q\n  %s\n  %s^", what, word, strings.ReplaceAll(pattern, "\n", " "),
			strings.Repeat(" ", utf8.RuneCountInString(pattern[:at]))))
}

func (t *template) Append(dst []byte, rows record.Rows) []byte {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		for _, p := range t.parts {
			if p.verb == 0 {
				dst = append(dst, p.text...)
			} else {
				dst = appendVerb(dst, p.verb, rows.Batch, i)
			}
		}
	}
	return dst
}

func appendVerb(dst []byte, verb byte, b *record.Batch, i int) []byte {
	rec, o := &b.Recs[i], b.Origin
	switch verb {
	case 'v', 's':
		return append(dst, b.Bytes(rec.Value)...)
	case 'k':
		if rec.Flags&record.HasKey != 0 {
			dst = append(dst, b.Bytes(rec.Key)...)
		}
	case 't':
		if o != nil {
			dst = append(dst, o.Source...)
		}
	case 'p':
		if o != nil && o.Topic {
			return strconv.AppendInt(dst, int64(o.Partition), 10)
		}
	case 'o':
		return strconv.AppendInt(dst, rec.Offset, 10)
	case 'T', 'd':
		return appendVerbTime(dst, verb, timeOf(rec), b.Zone)
	case 'h':
		for k, h := range b.HeadersOf(rec) {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, b.Bytes(h.Key)...)
			dst = append(append(dst, '='), b.Bytes(h.Value)...)
		}
	}
	return dst
}

func appendVerbTime(dst []byte, verb byte, ns int64, zone *time.Location) []byte {
	switch {
	case verb == 'd' && ns == record.NoTime:
		return dst
	case verb == 'd':
		return stamp.AppendIn(dst, ns, zone)
	case ns == record.NoTime:
		return append(dst, "-1"...)
	}
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return strconv.AppendInt(dst, ms, 10)
}
