package priority

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// Parse returns the classes of topics, the most urgent one first, each named as
// its topic. mode is strict or weighted with a weight for each, as in
// weighted=8:4:2:1.
func Parse(mode string, topics []string) ([]Class, error) {
	const hint = "strict, or weighted with a weight for each topic, as in weighted=8:4:2:1"
	classes := make([]Class, len(topics))
	for i, t := range topics {
		classes[i].Name = t
	}
	weights, weighted := strings.CutPrefix(mode, "weighted=")
	switch {
	case mode == "strict":
		return classes, nil
	case !weighted:
		return nil, fault.Usagef(hint, "--priority %q is not known", mode)
	}
	list := strings.Split(weights, ":")
	if len(list) != len(topics) {
		return nil, fault.Usagef(hint, "--priority %q has %d weights for %d topics", mode, len(list), len(topics))
	}
	for i, text := range list {
		w, err := strconv.Atoi(text)
		if err != nil || w < 1 || w > 1000 {
			return nil, fault.Usagef(hint, "--priority %q: weight %q: want a number from 1 to 1000", mode, text)
		}
		classes[i].Weight = w
	}
	return classes, nil
}

// SetPromote gives classes their times of promotion, as in low=120s; others than
// the first that are not named get rest.
func SetPromote(classes []Class, list []string, rest time.Duration) error {
	for i := range classes {
		if i > 0 {
			classes[i].Promote = rest
		}
	}
	return set(classes, "--promote", list, func(c *Class, d time.Duration) { c.Promote = d })
}

// SetSLO gives classes what their records are to arrive within.
func SetSLO(classes []Class, list []string) error {
	return set(classes, "--slo", list, func(c *Class, d time.Duration) { c.SLO = d })
}

func set(classes []Class, flag string, list []string, to func(*Class, time.Duration)) error {
	for _, item := range list {
		name, text, ok := strings.Cut(item, "=")
		if !ok {
			return fault.Usagef("as in low=120s", "%s %q: want CLASS=DURATION", flag, item)
		}
		c, err := find(classes, name)
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		d, err := human.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s %s: %w", flag, name, err)
		}
		if d <= 0 {
			return fault.Usagef("as in low=120s", "%s %q: want more than nothing", flag, item)
		}
		to(c, d)
	}
	return nil
}

// find returns the class of a name: the topic's, or a word of it that no other
// topic has, as low of low-logs.
func find(classes []Class, name string) (*Class, error) {
	var found []*Class
	var names []string
	for i := range classes {
		c := &classes[i]
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
		words := strings.FieldsFunc(c.Name, func(r rune) bool { return r == '-' || r == '.' || r == '_' })
		if slices.Contains(words, name) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fault.Usagef(fault.DidYouMean(name, names),
			"no class %q: want one of %s", name, strings.Join(names, ", "))
	}
	return nil, fault.Usagef("write the name of the topic in full",
		"class %q may be %s or %s", name, found[0].Name, found[1].Name)
}
