package exec

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/logctl/logctl/pkg/retry"
)

// An answer is what a handler says to one record.
type answer struct {
	output bool // the line is a record of its own
	stray  bool // and looks like an answer that there is not
	err    *retry.Error
}

// answers reads what a handler says. It remembers some lines that told of a failure, as
// handlers say the same things of many records, in turn: reading one takes longer than
// comparing.
type answers struct {
	known  [4]failure
	oldest int
}

// A failure is a line that told of one, and what it says.
type failure struct {
	line []byte
	said answer
}

func (a *answers) read(line []byte) answer {
	for i := range a.known {
		if f := &a.known[i]; f.said.err != nil && bytes.Equal(line, f.line) {
			return f.said
		}
	}
	said := parseAnswer(line)
	if said.err != nil {
		f := &a.known[a.oldest]
		f.line, f.said = append(f.line[:0], line...), said
		a.oldest = (a.oldest + 1) % len(a.known)
	}
	return said
}

var ackOK = []byte(`{"ack":"ok"}`)

// parseAnswer reads a line that a handler wrote: {"ack":"ok"}, {"ack":"retry"}
// or {"ack":"fail"}, the latter two with an "error" and a "class" if it likes.
// Any other line is output, and a success.
func parseAnswer(line []byte) answer {
	line = bytes.Trim(line, " \t\r")
	if bytes.Equal(line, ackOK) {
		return answer{}
	}
	if len(line) == 0 || line[0] != '{' || !mentionsAck(line) {
		return answer{output: true}
	}
	var a struct {
		Ack   json.RawMessage `json:"ack"`
		Error json.RawMessage `json:"error"`
		Class json.RawMessage `json:"class"`
	}
	if json.Unmarshal(line, &a) != nil || a.Ack == nil {
		return answer{output: true}
	}
	e := retry.Error{Class: strings.ToUpper(textOf(a.Class)), Message: textOf(a.Error)}
	switch textOf(a.Ack) {
	case "ok":
		return answer{}
	case "retry":
		e.Kind = retry.Transient
		setDefault(&e.Class, retry.Asked)
		setDefault(&e.Message, "the handler asked for another attempt")
	case "fail":
		e.Kind = retry.Permanent
		setDefault(&e.Class, retry.Refused)
		setDefault(&e.Message, "the handler refused the record")
	default:
		var fields map[string]json.RawMessage
		err := json.Unmarshal(line, &fields)
		for _, name := range []string{"ack", "error", "class"} {
			delete(fields, name)
		}
		return answer{output: true, stray: err == nil && len(fields) == 0}
	}
	return answer{err: &e}
}

// mentionsAck reports whether "ack" stands in a line. It looks for the last letter,
// the rarest in logs.
func mentionsAck(line []byte) bool {
	for at := 0; ; at++ {
		i := bytes.IndexByte(line[at:], 'k')
		if i < 0 {
			return false
		}
		at += i
		if bytes.HasSuffix(line[:at], []byte(`"ac`)) && bytes.HasPrefix(line[at:], []byte(`k"`)) {
			return true
		}
	}
}

func setDefault(s *string, to string) {
	if *s == "" {
		*s = to
	}
}

// textOf returns the text of a part of an answer, which may be any JSON.
func textOf(raw json.RawMessage) string {
	var text string
	if len(raw) > 0 && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
