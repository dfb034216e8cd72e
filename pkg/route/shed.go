package route

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/fault"
)

// A Shed says that what a rule sends goes elsewhere while readers of some topic are
// too far behind: load is shed from what matters less, and comes back.
type Shed struct {
	Rule  string // the name of a rule, or of the class low; "default" for what no rule matches
	Topic string // whose readers are looked at
	Group string // one of them; "" for the one that is furthest behind
	Above int64  // records that wait
}

var shedForm = regexp.MustCompile(
	`^\s*(\S|\S.*\S)\s+when lag\(\s*kafka:([\w.-]+)\s*(?:,\s*(\S+?)\s*)?\)\s*>\s*(\d+)\s*$`)

// ParseShed reads RULE when lag(kafka:TOPIC) > N, or lag(kafka:TOPIC, GROUP).
func ParseShed(s string) (Shed, error) {
	m := shedForm.FindStringSubmatch(s)
	if m == nil {
		return Shed{}, fault.Usagef("as in 'low when lag(kafka:logs-critical) > 100'",
			"--shed %q: want RULE when lag(kafka:TOPIC) > N", s)
	}
	n, err := strconv.ParseInt(m[4], 10, 64)
	if err != nil {
		return Shed{}, fault.Usagef("", "--shed %q: %q is no number of records", s, m[4])
	}
	return Shed{m[1], m[2], m[3], n}, nil
}

// On reports whether to shed at a lag, given whether it was done until now. What
// was begun ends at half the bound, so that it does not flutter.
func (s Shed) On(lag int64, was bool) bool {
	if was {
		return lag > s.Above/2
	}
	return lag > s.Above
}

// Apply returns a copy of f in which the rule sends to another place.
func (s Shed) Apply(f *File, to string) (*File, error) {
	changed := *f
	changed.Rules = slices.Clone(f.Rules)
	var names []string
	for k := range changed.Rules {
		names = append(names, changed.Rules[k].Name)
		if changed.Rules[k].Name == s.Rule {
			changed.Rules[k].To = []string{to}
			return &changed, nil
		}
	}
	if s.Rule != low && s.Rule != "default" {
		return nil, fault.Usagef(fault.DidYouMean(s.Rule, append(names, "default")), "--shed: there is no rule %q", s.Rule)
	}
	changed.Default = []string{to}
	return &changed, nil
}
