package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/term"
)

// summary says on stderr what came in and what became of it.
func (p *pipeline) summary() {
	var b strings.Builder
	b.WriteString(p.Stats.Summary())
	for _, n := range p.notes {
		if s := n(); s != "" {
			b.WriteString(", " + s)
		}
	}
	if n := p.mismatches(); n > 0 {
		fmt.Fprintf(&b, ", type mismatches %s", human.Count(n))
	}
	note(p.cmd, "%s", b.String())
	if bad := p.Stats.FirstBad(); bad != "" && p.Dead == nil && !p.Strict { // else it is said already
		note(p.cmd, "the first bad record: %s", bad)
	}
	if p.Stats.In.Load() == p.Stats.Bad.Load() {
		return // none could be read at all
	}
	if named := p.flags.input.timeField; named != "" && p.Stats.Timeless(p.Plan) {
		note(p.cmd, "no record has a field %q, the --time-field%s", named, suffix(fieldHint(named, p.Stats.Names())))
	}
	for _, path := range p.Stats.Unseen(p.Plan) {
		hint := p.absent[path]
		if names := p.Stats.Names(); hint == "" && !slices.Contains(names, path) { // else the format has it, and no record
			hint = cmp.Or(nearField(path, names), p.unquoted(path), fieldHint(path, names))
		}
		note(p.cmd, "no record has a field %q%s", path, suffix(hint))
	}
}

// unquoted says how text is written, where --where compares something with the bare word.
func (p *pipeline) unquoted(word string) string {
	bare := regexp.MustCompile(`[=!]=\s*` + regexp.QuoteMeta(word) + `($|\W)`)
	if !bare.MatchString(p.flags.where) {
		return ""
	}
	return fmt.Sprintf(`text stands in quotes, within those of the shell: --where '… == "%s"'`, word)
}

// mismatches returns how many comparisons met a value of another type, as text
// beside a number.
func (p *pipeline) mismatches() (n int64) {
	count := func(part any) {
		if m, ok := part.(interface{ Mismatches() int64 }); ok {
			n += m.Mismatches()
		}
	}
	count(p.Operator)
	for _, part := range p.Prepare {
		count(part)
	}
	return n
}

// undated says how many records said no time: most often it has another name.
func (p *pipeline) undated() string {
	n := p.Stats.Undated.Load()
	if n == 0 {
		return ""
	}
	named := "--time-field names it"
	switch lines := p.flags.input.multiline; {
	case lines == "" && n < p.Stats.In.Load() && slices.Equal(p.Stats.Names(), plainNames):
		named = "--multiline joins the lines of a record"
	case p.cmd.Flag("time-field").Value.String() == "":
		named += suffix(likeTime(p.Stats.Names()))
	}
	return fmt.Sprintf("without a time %s (when they were read counts; %s)", human.Count(n), named)
}

// plainNames are the fields of records that are lines of text.
var plainNames = []string{"timestamp", "level", "message"}

// likeTime asks whether the time is in the first of names that sounds like one.
func likeTime(names []string) string {
	for _, name := range names {
		low := strings.ToLower(name)
		for _, part := range []string{"time", "date", "stamp", "instant"} {
			if strings.Contains(low, part) && !record.IsAlias(name, record.TimeField) && len(record.Names(name)) == 1 {
				return fmt.Sprintf("is it %q?", name)
			}
		}
	}
	return ""
}

// fieldHint names the field that was meant, or some that there are.
func fieldHint(path string, names []string) string {
	const most = 8
	hint := nearField(path, names)
	switch {
	case hint != "" || len(names) == 0:
		return hint
	case len(names) > most:
		return "there are " + strings.Join(names[:most], ", ") + " and others"
	default:
		return "there are " + strings.Join(names, ", ")
	}
}

// nearField asks whether another one was meant, as it is written in an expression.
func nearField(path string, names []string) string {
	near := fault.Nearest(path, names)
	if near == "" {
		return ""
	}
	return "did you mean " + expr.QuoteField(near) + "?"
}

func suffix(hint string) string {
	if hint == "" {
		return ""
	}
	return "; " + hint
}

// progress reports how far the run is, for the terminal.
func (p *pipeline) progress() term.State {
	now := term.State{Records: p.Stats.In.Load()}
	known := true
	for _, s := range p.Sources {
		src, ok := s.(interface{ Progress() (read, total int64) })
		if !ok {
			known = false
			continue
		}
		read, total := src.Progress()
		now.Bytes += read
		now.Total += total
		known = known && total > 0
	}
	if !known {
		now.Total = 0
	}
	if now.Bytes == 0 {
		now.Bytes = p.Stats.Bytes.Load()
	}
	return now
}
