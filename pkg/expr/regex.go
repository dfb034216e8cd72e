package expr

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// matches compiles =~ and !~. Missing matches neither.
func (c *compiler) matches(n *node) (code, error) {
	x, err := c.compile(n.args[0])
	if err != nil {
		return code{}, err
	}
	if x.null() {
		return code{}, c.errorAt(n.args[0], "", "nothing matches null")
	}
	pattern, err := c.pattern(n.args[1])
	if err != nil {
		return code{}, err
	}
	text, match, want := x.asText(), matcher(pattern), n.name == "=~"
	return testCode(func(b *record.Batch, i int) bool {
		t, ok := text(b, i)
		return ok && match(t) == want
	}), nil
}

// pattern compiles a regular expression, which is to be constant.
func (c *compiler) pattern(n *node) (*regexp.Regexp, error) {
	x, err := c.compile(n)
	if err != nil {
		return nil, err
	}
	if !x.isLit(Text) {
		return nil, c.errorAt(n, `write field =~ "^GET /api"`, "want a regular expression in quotes, not %s", describe(x))
	}
	re, err := regexp.Compile(string(x.lit.Text))
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return nil, c.errorAt(n, "the syntax is RE2's", "regular expression: %s", why)
	}
	return re, nil
}

// matcher returns a test for re. A pattern that is mere text needs no regular
// expression; others are tried only where text that they cannot do without
// occurs.
func matcher(re *regexp.Regexp) func([]byte) bool {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return re.Match
	}
	tree = tree.Simplify()
	if m := plainMatcher(tree); m != nil {
		return m
	}
	needles := required(tree)
	if len(needles) == 0 {
		return re.Match
	}
	return func(text []byte) bool { return containsAny(text, needles) && re.Match(text) }
}

// plainMatcher returns the test for literal text, with ^ before or $ behind it
// or both; nil where the pattern is more.
func plainMatcher(tree *syntax.Regexp) func([]byte) bool {
	parts := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		parts = tree.Sub
	}
	begin, end := false, false
	if parts[0].Op == syntax.OpBeginText {
		begin, parts = true, parts[1:]
	}
	if len(parts) > 0 && parts[len(parts)-1].Op == syntax.OpEndText {
		end, parts = true, parts[:len(parts)-1]
	}
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral || !exact(parts[0]) {
		return nil
	}
	text := []byte(string(parts[0].Rune))
	switch {
	case begin && end:
		return func(t []byte) bool { return bytes.Equal(t, text) }
	case begin:
		return func(t []byte) bool { return bytes.HasPrefix(t, text) }
	case end:
		return func(t []byte) bool { return bytes.HasSuffix(t, text) }
	default:
		return func(t []byte) bool { return bytes.Contains(t, text) }
	}
}

// exact reports whether a literal stands for its bytes alone. U+FFFD does not:
// in a regular expression it matches bytes that are not UTF-8, too.
func exact(lit *syntax.Regexp) bool {
	return lit.Flags&syntax.FoldCase == 0 && !slices.Contains(lit.Rune, utf8.RuneError)
}

// A needle is text that must occur, in lower case where case does not matter.
type needle struct {
	text []byte
	fold bool
}

// maxNeedles bounds how many alternatives are searched for.
const maxNeedles = 8

// required returns texts of which one must occur in every match; none where
// there are no such texts.
func required(tree *syntax.Regexp) []needle {
	switch tree.Op {
	case syntax.OpLiteral:
		if n := literalNeedle(tree); len(n.text) > 0 {
			return []needle{n}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return required(tree.Sub[0])
		}
	case syntax.OpConcat:
		var best []needle
		for _, sub := range tree.Sub {
			if n := required(sub); better(n, best) {
				best = n
			}
		}
		return best
	case syntax.OpAlternate:
		var all []needle
		for _, sub := range tree.Sub {
			n := required(sub)
			if len(n) == 0 || len(all)+len(n) > maxNeedles {
				return nil
			}
			all = append(all, n...)
		}
		return all
	}
	return nil
}

// better prefers longer needles, and among equals fewer.
func better(a, b []needle) bool {
	x, y := shortest(a), shortest(b)
	return x > y || x == y && x > 0 && len(a) < len(b)
}

func shortest(needles []needle) int {
	n := 0
	for k, x := range needles {
		if k == 0 || len(x.text) < n {
			n = len(x.text)
		}
	}
	return n
}

// literalNeedle returns what a literal needs. Without regard to case that is
// its longest run of ASCII without k and s, which Unicode folds with the
// Kelvin sign and the long s.
func literalNeedle(lit *syntax.Regexp) needle {
	if exact(lit) {
		return needle{[]byte(string(lit.Rune)), false}
	}
	if lit.Flags&syntax.FoldCase == 0 {
		return needle{}
	}
	var best, run []byte
	for _, r := range append(slices.Clone(lit.Rune), 'k') {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		if r < utf8.RuneSelf && r != 'k' && r != 's' {
			run = append(run, byte(r))
			continue
		}
		if len(run) > len(best) {
			best = slices.Clone(run)
		}
		run = run[:0]
	}
	return needle{best, true}
}

func containsAny(text []byte, needles []needle) bool {
	for _, n := range needles {
		if !n.fold && bytes.Contains(text, n.text) || n.fold && containsFold(text, n.text) {
			return true
		}
	}
	return false
}

// containsFold reports whether lower, which is in lower case, occurs in text
// whatever the case of its ASCII letters.
func containsFold(text, lower []byte) bool {
	for i := 0; i+len(lower) <= len(text); i++ {
		if toLower(text[i]) == lower[0] && equalFold(text[i:i+len(lower)], lower) {
			return true
		}
	}
	return false
}

func equalFold(text, lower []byte) bool {
	for i, c := range lower {
		if toLower(text[i]) != c {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if c-'A' <= 'Z'-'A' {
		return c + 'a' - 'A'
	}
	return c
}

// matchGroup compiles match(text, "re", group): the text of a group, by
// number or name; the first group, or without any the whole, where none is
// given.
func (c *compiler) matchGroup(n *node, args []code) (code, error) {
	re, err := c.pattern(n.args[1])
	if err != nil {
		return code{}, err
	}
	group := min(1, re.NumSubexp())
	if len(args) == 3 {
		switch g := args[2]; {
		case g.isLit(Text):
			group = re.SubexpIndex(string(g.lit.Text))
		case g.isLit(Num) && g.lit.Num == float64(int(g.lit.Num)):
			group = int(g.lit.Num)
		default:
			group = -1
		}
		if group < 0 || group > re.NumSubexp() {
			return code{}, c.errorAt(args[2].node, "", "the regular expression has no group %s", args[2].node)
		}
	}
	text, needles := args[0].asText(), []needle(nil)
	if tree, err := syntax.Parse(re.String(), syntax.Perl); err == nil {
		needles = required(tree.Simplify())
	}
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		if !ok || len(needles) > 0 && !containsAny(t, needles) {
			return nil, false
		}
		m := re.FindSubmatchIndex(t)
		if m == nil || m[2*group] < 0 {
			return nil, false
		}
		return t[m[2*group]:m[2*group+1]], true
	}), nil
}
