package expr

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// tokenKind is what a token is.
type tokenKind uint8

const (
	tokEnd  tokenKind = iota
	tokWord           // an operator, a bracket, a keyword: text is its normal form
	tokPath           // a field or function name
	tokNum
	tokSize // a number of bytes
	tokDur
	tokText
)

// A token is a word of an expression.
type token struct {
	kind     tokenKind
	text     string // what it stands for: a string unquoted, a word in its normal form
	num      float64
	ns       int64
	pos, end int  // where it stands in the source
	quoted   bool // a path with backquotes: never a keyword or a name of ours
}

// keywords are the words that name no field unless they are backquoted.
var keywords = []string{"and", "or", "not", "in", "true", "false", "null"}

// symbols are the operators and brackets, longer ones first, each with its
// normal form.
var symbols = []struct{ text, normal string }{
	{"&&", "and"},
	{"||", "or"},
	{"==", "=="},
	{"!=", "!="},
	{"=~", "=~"},
	{"!~", "!~"},
	{"<=", "<="},
	{">=", ">="},
	{"??", "??"},
	{"<", "<"},
	{">", ">"},
	{"!", "not"},
	{"=", "="},
	{"+", "+"},
	{"-", "-"},
	{"*", "*"},
	{"/", "/"},
	{"%", "%"},
	{"?", "?"},
	{":", ":"},
	{"(", "("},
	{")", ")"},
	{"[", "["},
	{"]", "]"},
	{",", ","},
}

// lex splits src into tokens; the last one is a tokEnd.
func lex(src string) ([]token, error) {
	var tokens []token
	for i := 0; ; {
		for i < len(src) && strings.IndexByte(" \t\r\n", src[i]) >= 0 {
			i++
		}
		if i == len(src) {
			return append(tokens, token{kind: tokEnd, pos: i, end: i}), nil
		}
		t, err := lexOne(src, i)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		i = t.end
	}
}

func lexOne(src string, i int) (token, error) {
	switch c := src[i]; {
	case c == '"' || c == '\'':
		return lexText(src, i)
	case c-'0' <= 9:
		return lexNumber(src, i)
	case c == '`' || nameLen(src[i:]) > 0:
		return lexPath(src, i)
	}
	for _, s := range symbols {
		if strings.HasPrefix(src[i:], s.text) {
			return token{kind: tokWord, text: s.normal, pos: i, end: i + len(s.text)}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(src[i:])
	return token{}, syntaxError(src, i, strays[r], "unexpected %q", r)
}

// strays are hints for characters that begin nothing.
var strays = map[rune]string{
	'&': "did you mean and?",
	'|': "did you mean or?",
	'~': "did you mean =~ for a regular expression?",
	'.': "a field is its name alone: status, request.method",
	'$': "a field is its name alone: status, request.method",
	'“': `texts stand in "…" or '…'`,
	'”': `texts stand in "…" or '…'`,
	'‘': `texts stand in "…" or '…'`,
	'’': `texts stand in "…" or '…'`,
}

// escapes are what a backslash and a letter stand for in a string. All others
// are kept with their backslash, so that regular expressions can be written
// plainly: "\d+\.\d+".
var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '\\': `\`, '"': `"`, '\'': "'"}

func lexText(src string, start int) (token, error) {
	var text strings.Builder
	for i := start + 1; i < len(src); i++ {
		switch {
		case src[i] == src[start]:
			return token{kind: tokText, text: text.String(), pos: start, end: i + 1}, nil
		case src[i] != '\\' || i+1 == len(src):
			text.WriteByte(src[i])
		case src[i+1] == 'u':
			n, err := strconv.ParseUint(src[i+2:min(i+6, len(src))], 16, 16)
			if err != nil || i+6 > len(src) || utf8.RuneLen(rune(n)) < 0 {
				return token{}, syntaxError(src, i, "", `want four hexadecimal digits of a character behind \u`)
			}
			text.WriteRune(rune(n))
			i += 5
		default:
			s, ok := escapes[src[i+1]]
			if !ok {
				s = src[i : i+2]
			}
			text.WriteString(s)
			i++
		}
	}
	return token{}, syntaxError(src, start, "", "the string that begins here does not end: want %c", src[start])
}

// lexNumber reads a number, a duration such as 1h30m or a size such as 64KiB.
func lexNumber(src string, start int) (token, error) {
	i := start
	for i < len(src) {
		n := nameLen(src[i:])
		if n == 0 && !isDigit(src[i]) && src[i] != '.' && !isExponentSign(src[start:i], src[i]) {
			break
		}
		i += max(1, n)
	}
	t := token{pos: start, end: i, text: src[start:i]}
	if f, ok := record.ParseNumber([]byte(t.text)); ok {
		t.kind, t.num = tokNum, f
		return t, nil
	}
	if d, err := human.ParseDuration(t.text); err == nil {
		t.kind, t.ns = tokDur, int64(d)
		return t, nil
	}
	if n, err := human.ParseSize(t.text); err == nil {
		t.kind, t.num = tokSize, float64(n)
		return t, nil
	}
	return t, syntaxError(src, start, "",
		"%q is no number, duration or size: want 5, 1.5, 250ms, 1h30m, 10MB or 64KiB", t.text)
}

// isExponentSign reports whether c, a sign, belongs to the number that begins
// with the given text, as in 1e-9.
func isExponentSign(text string, c byte) bool {
	if c != '-' && c != '+' || len(text) < 2 || text[len(text)-1]|0x20 != 'e' {
		return false
	}
	_, ok := record.ParseNumber([]byte(text[:len(text)-1]))
	return ok
}

// lexPath reads a keyword or a path: names joined by points, each with
// indexes behind it, any of them in backquotes.
func lexPath(src string, start int) (token, error) {
	t := token{kind: tokPath, pos: start}
	var path strings.Builder
	for i := start; ; i++ {
		n, quoted, err := pathName(src, i)
		if err != nil {
			return t, err
		}
		name := src[i : i+n]
		if quoted {
			name, t.quoted = name[1:n-1], true
		}
		i += n
		if path.Len() == 0 && !quoted && slices.Contains(keywords, name) {
			return token{kind: tokWord, text: name, pos: start, end: i}, nil
		}
		n = indexesLen(src[i:])
		path.WriteString(name + src[i:i+n])
		i += n
		if i+1 >= len(src) || src[i] != '.' || src[i+1] != '`' && !isDigit(src[i+1]) && nameLen(src[i+1:]) == 0 {
			t.text, t.end = path.String(), i
			return t, nil
		}
		path.WriteByte('.')
	}
}

// pathName returns the length of the name at i, its backquotes included.
func pathName(src string, i int) (n int, quoted bool, err error) {
	if src[i] != '`' {
		for i+n < len(src) && (isDigit(src[i+n]) || nameLen(src[i+n:]) > 0) {
			n += max(1, nameLen(src[i+n:]))
		}
		return n, false, nil
	}
	n = strings.IndexByte(src[i+1:], '`')
	if n <= 0 {
		return 0, true, syntaxError(src, i, "", "want a field name and a closing `")
	}
	return n + 2, true, nil
}

// indexesLen returns the length of the indexes, such as [0][-1], at the start
// of s.
func indexesLen(s string) int {
	n := 0
	for n < len(s) && s[n] == '[' {
		i := n + 1
		if i < len(s) && s[i] == '-' {
			i++
		}
		first := i
		for i < len(s) && isDigit(s[i]) && i-first < 9 {
			i++
		}
		if i == first || i == len(s) || s[i] != ']' {
			break
		}
		n = i + 1
	}
	return n
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// nameLen returns the length of the letter, underscore or @ at the start of s;
// 0 where another character stands there.
func nameLen(s string) int {
	if s == "" {
		return 0
	}
	if c := s[0]; c < utf8.RuneSelf {
		if c|0x20-'a' <= 'z'-'a' || c == '_' || c == '@' {
			return 1
		}
		return 0
	}
	if r, n := utf8.DecodeRuneInString(s); unicode.IsLetter(r) {
		return n
	}
	return 0
}
