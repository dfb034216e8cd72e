package expr

import "strings"

// Glob returns the regular expression of a pattern in which * stands for any
// text and ? for any character, unless a backslash is before it. It matches
// anywhere: see Anchor. What literal returns stands for text as it is.
func Glob(pattern string, literal func(text string) string) string {
	var re, run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			re.WriteString(literal(run.String()))
		}
		run.Reset()
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && strings.IndexByte(`*?\`, pattern[i+1]) >= 0:
			i++
			run.WriteByte(pattern[i])
		case c == '*':
			flush()
			re.WriteString(".*")
		case c == '?':
			flush()
			re.WriteString(".")
		default:
			run.WriteByte(c)
		}
	}
	flush()
	return re.String()
}

// Anchor has the regular expression of a Glob match from the beginning of the
// text on, to its end, or both. What begins or ends with any text needs no anchor
// there, and is found faster without.
func Anchor(re string, begin, end bool) string {
	before, behind := "", ""
	if begin {
		before = "^"
	}
	if end {
		behind = "$"
	}
	if rest, ok := strings.CutPrefix(re, ".*"); ok {
		before, re = "", rest
	}
	if rest, ok := strings.CutSuffix(re, ".*"); ok && !strings.HasSuffix(rest, `\`) {
		behind, re = "", rest
	}
	if strings.Contains(re, ".") {
		before = "(?s)" + before
	}
	return before + re + behind
}
