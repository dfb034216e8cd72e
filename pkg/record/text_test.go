package record_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// TestQuotedAnywhere sets each byte at each place of a text of more than a word.
func TestQuotedAnywhere(t *testing.T) {
	const plain = "0123456789abcdefghij"
	for c := range 256 {
		inner := string(rune(0xFFFD))
		if c < 0x80 {
			inner = strings.Trim(string(record.AppendQuoted(nil, []byte{byte(c)})), `"`)
			if c == '"' {
				inner = `\"`
			}
		}
		for at := range len(plain) {
			text := []byte(plain)
			text[at] = byte(c)
			want := `"` + plain[:at] + inner + plain[at+1:] + `"`
			if got := string(record.AppendQuoted(nil, text)); got != want {
				t.Fatalf("byte %#x at %d: got %s, want %s", c, at, got, want)
			}
			if got := string(record.AppendQuoted(nil, string(text))); got != want {
				t.Fatalf("byte %#x at %d of a string: got %s, want %s", c, at, got, want)
			}
		}
	}
}

func BenchmarkAppendQuoted(b *testing.B) {
	for name, text := range map[string]string{
		"json":   strings.Repeat(`{"level":"INFO","service":"notifications","status":200}`, 5),
		"text":   strings.Repeat("GET /api/search?q=shoes 200 36.20 ", 8),
		"beyond": strings.Repeat("größe привет ", 16),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var dst []byte
			for b.Loop() {
				dst = record.AppendQuoted(dst[:0], text)
			}
		})
	}
}
