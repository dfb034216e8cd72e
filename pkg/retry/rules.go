package retry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// Rules assign kinds and classes to errors by their text. The first rule that matches
// counts.
type Rules []rule

type rule struct {
	kind, class string // class "" leaves the error's own
	is          *regexp.Regexp
}

const ruleHint = "as in: transient TIMEOUT (?i)timed? ?out"

// ParseRules reads rules, a line each: the kind, the class in capitals (or - for
// the error's own) and a regular expression that the message, or the class,
// matches. Empty lines and lines that begin with # are passed over.
//
//	# what our handler says
//	transient TIMEOUT  (?i)timed? ?out|deadline exceeded
//	permanent SCHEMA   no such column
//	ambiguous -        connection reset
func ParseRules(text, name string) (Rules, error) {
	var rules Rules
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRule(line)
		if err != nil {
			return nil, fault.Hint(fmt.Errorf("%s:%d: %w", name, i+1, err), ruleHint)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(line string) (rule, error) {
	kind, rest, _ := strings.Cut(line, " ")
	class, pattern, _ := strings.Cut(strings.TrimSpace(rest), " ")
	pattern = strings.TrimSpace(pattern)
	switch {
	case !slices.Contains(Kinds, kind):
		return rule{}, fmt.Errorf("%q is no kind of errors: want transient, permanent or ambiguous", kind)
	case pattern == "":
		return rule{}, fmt.Errorf("%q: want a kind, a class (or -) and a pattern", line)
	case class != strings.ToUpper(class):
		return rule{}, fmt.Errorf("class %q: want capitals", class)
	}
	if class == "-" {
		class = ""
	}
	re, err := regexp.Compile(pattern)
	return rule{kind, class, re}, err
}

// Classify returns e with the kind and class that the rules give it.
func (rs Rules) Classify(e Error) Error {
	for _, r := range rs {
		if r.is.MatchString(e.Message) || r.is.MatchString(e.Class) {
			e.Kind = r.kind
			if r.class != "" {
				e.Class = r.class
			}
			return e
		}
	}
	return e
}
