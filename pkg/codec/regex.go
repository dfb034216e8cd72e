package codec

import (
	"fmt"
	"regexp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// pattern finds fields by a regular expression with named groups. What a group
// matched is text; a group that took no part is missing. A line that does not
// match is bad.
type pattern struct {
	binding
	*machine
	to [][]target // by group
}

// newRegex returns a parser for the pattern of "regex:PATTERN".
func newRegex(plan *record.Plan, text string) (*pattern, error) {
	const hint = `as in --format 'regex:(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'`
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fault.Usagef(hint, "format \"regex:%s\": %w", text, err)
	}
	p := &pattern{newBinding(plan), newMachine(re), nil}
	named := false
	for _, name := range re.SubexpNames() {
		named = named || name != ""
		p.to = append(p.to, p.byName[name])
	}
	if !named {
		return nil, fault.Usagef(hint, "format \"regex:%s\" has no named group, and so no fields", text)
	}
	return p, nil
}

// parse reads the record in s, which is row's text.
func (p *pattern) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	at := p.find(b.Bytes(s))
	if at == nil {
		return fmt.Sprintf("does not match the pattern %q", p.re)
	}
	for group, to := range p.to {
		if from := at[2*group]; from >= 0 && len(to) > 0 {
			p.set(b, row, to, record.NewValue(record.String, int(s.Off)+from, at[2*group+1]-from))
		}
	}
	return ""
}
