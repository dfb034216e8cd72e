package term_test

import (
	"testing"

	"github.com/logctl/logctl/pkg/term"
)

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain text, é, 日本, 🙂":   "plain text, é, 日本, 🙂",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"a\tb\nc\rd\x00":         `a b\nc\rd\x00`,
		"\xff\x80x \ufffd":       `\xff\x80x ` + "\ufffd",
		"\u009b31m":              `\u009b31m`,
		"evil\u202etxt.exe":      `evil\u202etxt.exe`,
		"\u2066\u2069\u200e\x7f": `\u2066\u2069\u200e\x7f`,
	} {
		if got := term.Sanitize(in); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("\x1b]0;title\a\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range term.Sanitize(s) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q comes through from %q", r, s)
			}
		}
	})
}
