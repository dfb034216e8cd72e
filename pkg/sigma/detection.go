package sigma

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// detect returns the expression of a detection: its condition, in which the names
// stand for selections.
func (p *parser) detect(n *yaml.Node) (string, error) {
	var named []selection
	var conditions []*yaml.Node
	err := p.Pairs(n, func(key, value *yaml.Node) error {
		switch key.Value {
		case "condition":
			return p.Items(value, func(item *yaml.Node) error { conditions = append(conditions, item); return nil })
		case "timeframe":
			return p.Errorf(key, "a detection is about one record", "timeframe is not supported")
		}
		cond, err := p.selection(value)
		named = append(named, selection{key.Value, cond})
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(conditions) == 0:
		return "", p.Errorf(n, "as in condition: selection", "the detection has no condition")
	}
	var all []string
	for _, c := range conditions {
		cond, err := p.condition(c, named)
		if err != nil {
			return "", err
		}
		all = append(all, cond)
	}
	return joined(" or ", all), nil
}

// A selection is a named part of a detection.
type selection struct{ name, cond string }

// selection returns the expression of a selection: fields that must all match, or
// words that occur in the record; of a list one entry must.
func (p *parser) selection(n *yaml.Node) (string, error) {
	var some []string
	err := p.Items(n, func(item *yaml.Node) (err error) {
		var one string
		if item.Kind == yaml.MappingNode {
			one, err = p.fields(item)
		} else {
			one, err = p.test(keywords, item)
		}
		some = append(some, one)
		return err
	})
	if err == nil && len(some) == 0 {
		err = p.Errorf(n, "", "the selection is empty")
	}
	return joined(" or ", some), err
}

func (p *parser) fields(n *yaml.Node) (string, error) {
	var all []string
	err := p.Pairs(n, func(key, value *yaml.Node) error {
		m, err := p.matcher(key)
		if err != nil {
			return err
		}
		one, err := p.values(m, value)
		all = append(all, one)
		return err
	})
	if err == nil && len(all) == 0 {
		err = p.Errorf(n, "", "the selection is empty")
	}
	return joined(" and ", all), err
}

// values returns the expression for the values of a field.
func (p *parser) values(m matcher, n *yaml.Node) (string, error) {
	var tests []string
	err := p.Items(n, func(item *yaml.Node) error {
		one, err := p.test(m, item)
		tests = append(tests, one)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(tests) == 0:
		return "", p.Errorf(n, "", "the list of values is empty: nothing would match")
	case m.all:
		return joined(" and ", tests), nil
	}
	return joined(" or ", tests), nil
}

// joined joins conditions, in parentheses where there are several.
func joined(op string, list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, op) + ")"
}
