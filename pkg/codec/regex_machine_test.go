package codec

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/proof"
)

// machinePatterns are of every kind of instruction, greedy and not, anchored and
// not, with empty loops and with groups that may take no part.
var machinePatterns = []string{
	`^(?P<ts>\S+) (?:\[(?P<level>\w*)\] )?(\d+) (?P<msg>.*)`, `(a|ab)(c|bcd)(d*)`, `(a*)*b`, `(a*)+`, `(a|b)*?c`, `^$`, ``,
	`(?i)err(or)?\b`, `\bfoo\B`, `(?m)^(\w+)$`, `(?s)a.b`, `a.b`, `[^a]é+(.)`, `(x)?(y)?z`, `(?:)+a`, `(a??)(b*?)$`, `abc(d|e)`,
	`a{2,4}(a{0,3})`, `(^|a)(b|$)`, `(.*)\[([^\]]+)\](.*)`, `\A(.)\z`, `[\x{FFFD}]`, `(?U)(a+)(a+)`,
}

// equalMatch fails the test where the machine of re and package regexp disagree.
func equalMatch(t *testing.T, re *regexp.Regexp, m *machine, text string) {
	t.Helper()
	got, want := m.find([]byte(text)), re.FindSubmatchIndex([]byte(text))
	if !slices.Equal(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("%q in %q: %v, want %v", re, text, got, want)
	}
}

func TestMachineAgainstRegexp(t *testing.T) {
	const letters = "aaabbcdexyz[]_ 1\n"
	r := rand.New(rand.NewPCG(1, 2))
	pieces := append(strings.Split(letters, ""), "é", "\xff", "error", "ERR", "foo", "abc")
	for _, pattern := range machinePatterns {
		re := regexp.MustCompile(pattern)
		m := newMachine(re)
		for range proof.Some(2000) {
			text := ""
			for range r.IntN(12) {
				text += pieces[r.IntN(len(pieces))]
			}
			equalMatch(t, re, m, text)
		}
		equalMatch(t, re, m, strings.Repeat("a", proof.Some(maxSeen)))
	}
}

func FuzzMachine(f *testing.F) {
	for _, pattern := range machinePatterns {
		f.Add(pattern, "aab [b] 12 error\nfoo")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 200 || len(text) > 1000 {
			return
		}
		m := newMachine(re)
		equalMatch(t, re, m, text)
		equalMatch(t, re, m, "")
		equalMatch(t, re, m, text)
	})
}
