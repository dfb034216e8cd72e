package expr

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
)

func hasFn(args []code) code { return testCode(args[0].asPresent()) }
func strOf(args []code) code { return textCode(args[0].asText()) }

// lenFn counts characters; each byte that is not UTF-8 is one.
func lenFn(args []code) code {
	text := args[0].asText()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		t, ok := text(b, i)
		return float64(utf8.RuneCount(t)), ok
	})
}

func lowerFn(args []code) code { return mapped(args[0], unicode.ToLower) }
func upperFn(args []code) code { return mapped(args[0], unicode.ToUpper) }

// mapped maps each character. Bytes that are not UTF-8 pass unharmed.
func mapped(x code, f func(rune) rune) code {
	text := x.asText()
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		if !ok {
			return nil, false
		}
		mark := len(b.Data)
		for len(t) > 0 {
			r, n := utf8.DecodeRune(t)
			if r == utf8.RuneError && n == 1 {
				b.Data = append(b.Data, t[0])
			} else {
				b.Data = utf8.AppendRune(b.Data, f(r))
			}
			t = t[n:]
		}
		return since(b, mark), true
	})
}

func trimFn(args []code) code {
	text := args[0].asText()
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		return bytes.TrimSpace(t), ok
	})
}

func containsFn(args []code) code   { return pair(args, bytes.Contains) }
func startsWithFn(args []code) code { return pair(args, bytes.HasPrefix) }
func endsWithFn(args []code) code   { return pair(args, bytes.HasSuffix) }

// pair tests two texts. It is false where one is missing.
func pair(args []code, f func(x, y []byte) bool) code {
	l, r := args[0].asText(), args[1].asText()
	return testCode(func(b *record.Batch, i int) bool {
		x, ok := l(b, i)
		if !ok {
			return false
		}
		y, ok := r(b, i)
		return ok && f(x, y)
	})
}

// replaceFn replaces all occurrences; those of the empty text are none.
func replaceFn(args []code) code {
	text, old, repl := args[0].asText(), args[1].asText(), args[2].asText()
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		o, ok2 := old(b, i)
		r, ok3 := repl(b, i)
		if !ok || !ok2 || !ok3 {
			return nil, false
		}
		if len(o) == 0 {
			return t, true
		}
		mark := len(b.Data)
		for {
			k := bytes.Index(t, o)
			if k < 0 {
				break
			}
			b.Data = append(append(b.Data, t[:k]...), r...)
			t = t[k+len(o):]
		}
		b.Data = append(b.Data, t...)
		return since(b, mark), true
	})
}

// substrFn returns length characters from start on, which counts from the end
// where it is negative; without a length all that follow.
func substrFn(args []code) code {
	text, from := args[0].asText(), args[1].asNum()
	length := func(*record.Batch, int) (float64, bool) { return 1 << 40, true }
	if len(args) == 3 {
		length = args[2].asNum()
	}
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		first, ok2 := from(b, i)
		n, ok3 := length(b, i)
		if !ok || !ok2 || !ok3 {
			return nil, false
		}
		if first < 0 {
			first = max(0, first+float64(utf8.RuneCount(t)))
		}
		t = t[skipRunes(t, first):]
		return t[:skipRunes(t, n)], true
	})
}

// skipRunes returns the length of the first n characters of t.
func skipRunes(t []byte, n float64) int {
	k := 0
	for ; n >= 1 && k < len(t); n-- {
		_, size := utf8.DecodeRune(t[k:])
		k += size
	}
	return k
}

// splitFn returns the part with the given index, from 0, or counted from the
// end where it is negative; missing where there is none.
func splitFn(args []code) code {
	text, sep, index := args[0].asText(), args[1].asText(), args[2].asNum()
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := text(b, i)
		s, ok2 := sep(b, i)
		k, ok3 := index(b, i)
		if !ok || !ok2 || !ok3 || len(s) == 0 {
			return nil, false
		}
		if k < 0 {
			k += float64(bytes.Count(t, s) + 1)
		}
		for ; k >= 1; k-- {
			at := bytes.Index(t, s)
			if at < 0 {
				return nil, false
			}
			t = t[at+len(s):]
		}
		if at := bytes.Index(t, s); at >= 0 {
			t = t[:at]
		}
		return t, k >= 0
	})
}

// hashFn returns the upper 53 bits of xxh3: what a number holds exactly.
func hashFn(args []code) code {
	text := args[0].asText()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		t, ok := text(b, i)
		return float64(xxh3.Hash(t) >> 11), ok
	})
}
