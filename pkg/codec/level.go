package codec

import (
	"bytes"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// levelReach is how far behind the timestamp a level is looked for.
const levelReach = 96

// levelOf returns the level of a line in which a timestamp, of no length where
// there is none, stands at at: where its word stands or, where the line has a
// letter or a number for it, the word that this stands for. end is 0 and name
// empty where there is none.
func levelOf(line []byte, at record.Span) (start, end int, name string) {
	before, behind := line[:at.Off], line[at.End():min(len(line), int(at.End())+levelReach)]
	if at.Len > 1 && line[at.Off+1]-'0' <= 9 {
		name = letterLevel(line[at.Off]) // klog's, which is part of the timestamp
	}
	if name == "" {
		name = markBefore(before, behind)
	}
	if name == "" {
		name = androidLevel(behind)
	}
	if name == "" {
		name = letterBehind(behind)
	}
	if name == "" {
		name = dmesgLevel(line)
	}
	if name != "" {
		return 0, 0, name
	}
	if start, end, name = levelWord(before); end == 0 && name == "" {
		start, end, name = levelWord(behind)
		start, end = start+int(at.End()), end+int(at.End())*min(end, 1)
	}
	return start, end, name
}

// letterLevel returns the level that a letter stands for, as in klog and Android.
func letterLevel(letter byte) string {
	switch letter {
	case 'V':
		return "verbose"
	case 'D':
		return "debug"
	case 'I':
		return "info"
	case 'W':
		return "warning"
	case 'E':
		return "error"
	case 'F', 'C':
		return "fatal"
	default:
		return ""
	}
}

// markBefore returns the level of a line that begins as Tornado's do, with a
// letter in the bracket that holds the timestamp, or as Redis' do, with process
// and role before it and a mark behind.
func markBefore(before, behind []byte) string {
	n := len(before)
	switch {
	case n < 3:
	case n == 3 && before[0] == '[' && before[2] == ' ':
		return letterLevel(before[1])
	case n < 4 || digits(before) != n-3 || before[n-3] != ':' || before[n-1] != ' ':
	case len(behind) < 3 || behind[0] != ' ' || behind[2] != ' ':
	default:
		switch behind[1] {
		case '.':
			return "debug"
		case '-':
			return "info"
		case '*':
			return "notice"
		case '#':
			return "warning"
		}
	}
	return ""
}

// androidLevel returns the level of logcat's lines from behind their timestamp, if
// any, on: "I/Tag( 123): ", or "123 456 I Tag: " with process and thread.
func androidLevel(text []byte) string {
	i := gap(text, 0)
	if i+2 < len(text) && text[i+1] == '/' {
		return briefLevel(text[i:])
	}
	for range 2 {
		n := digits(text[i:])
		if n == 0 {
			return ""
		}
		i = gap(text, i+n)
	}
	if i+1 >= len(text) || text[i+1] != ' ' || text[i-1] > ' ' {
		return ""
	}
	return letterLevel(text[i])
}

// letterBehind returns the level of a line that has a letter behind its timestamp and
// behind that a mark (Telegraf's "I! ", etcd's "I | "), a bracket (Gluster's "I [") or a
// component in capitals and a bracket (MongoDB's "I NETWORK  [", "D1 REPL     [").
func letterBehind(text []byte) string {
	i := gap(text, 0)
	if i == 0 || i+2 >= len(text) || text[i]-'A' >= 26 {
		return ""
	}
	letter, rest := text[i], text[i+1:]
	if letter == 'D' && rest[0]-'1' < 5 {
		rest = rest[1:]
	}
	if bytes.HasPrefix(rest, []byte("! ")) || bytes.HasPrefix(rest, []byte(" | ")) {
		return letterLevel(letter)
	}
	at := gap(rest, 0)
	if at == 0 {
		return ""
	}
	end := at
	for end < len(rest) && (rest[end]-'A' < 26 || rest[end] == '_' || rest[end] == '-') {
		end++
	}
	if bracket := gap(rest, end); bracket < len(rest) && rest[bracket] == '[' && (bracket > end || end == at) {
		return letterLevel(letter)
	}
	return ""
}

// briefLevel returns the level of "I/Tag( 123): ".
func briefLevel(text []byte) string {
	end := 2
	for end < len(text) && text[end] > ' ' && text[end] != '(' {
		end++
	}
	if end == len(text) || text[end] != '(' {
		return ""
	}
	pid := gap(text, end+1)
	n := digits(text[pid:])
	if n == 0 || !bytes.HasPrefix(text[pid+n:], []byte("): ")) {
		return ""
	}
	return letterLevel(text[0])
}

// dmesgLevel returns the level of "kern  :notice: [", as dmesg -x writes it.
func dmesgLevel(line []byte) string {
	facility, rest, _ := bytes.Cut(line[:min(len(line), levelReach)], []byte{':'})
	level, rest, ok := bytes.Cut(rest, []byte{':'})
	if !ok || !bytes.HasPrefix(rest, []byte(" [")) {
		return ""
	}
	source, name := string(bytes.TrimRight(facility, " ")), string(bytes.TrimRight(level, " "))
	if !slices.Contains(facilities[:], source) || name != "warn" && !slices.Contains(severities[:], name) {
		return ""
	}
	return name
}

// A wordPlace says how a word stands in a line.
type wordPlace struct {
	first    bool // no word is before it
	capitals bool
	bracket  bool // it stands in brackets, alone or behind a colon, as in [core:error]
	colon    bool // a colon is behind it
	tag      bool // and behind all that stands before it, or brackets are
	listed   bool // a space and a bracket are behind it
}

// levelWord returns where the first word that is a level stands in text, or what a
// letter in brackets or the number in a mnemonic of Cisco's stands for. What
// PostgreSQL says besides (HINT, DETAIL) is not looked into. What PHP calls an error
// (PHP Fatal error:) is behind its name.
func levelWord(text []byte) (start, end int, name string) {
	at := wordPlace{first: true}
	php := bytes.HasPrefix(text[gap(text, 0):], []byte("PHP "))
	for start, end = nextWord(text, 0); start < end; start, end = nextWord(text, end) {
		if from, to, name := at.level(text, start, end); to > 0 || name != "" {
			return from, to, name
		}
		if at.capitals && bytes.HasPrefix(text[end:], []byte(":  ")) {
			break
		}
		at.first = at.first && php && end < len(text) && text[end] == ' '
	}
	return 0, 0, ""
}

// level returns where in the word text[start:end] a level stands, or what the word
// stands for. It completes how the word stands.
func (at *wordPlace) level(text []byte, start, end int) (from, to int, name string) {
	word := text[start:end]
	at.capitals = areCapitals(word)
	switch n := len(word); {
	case n >= shortestLevel && n <= longestLevel && at.fill(text, start, end) && isLevelAt(word, *at):
		return start, end, ""
	case n == 1 && start > 0 && text[start-1] == '[' && end < len(text) && text[end] == ']':
		return 0, 0, letterLevel(word[0])
	case at.capitals && start > 0 && text[start-1] == '%':
		return 0, 0, ciscoLevel(word)
	case end < len(text) && (text[end] == ':' || text[end] == ']'):
		if i, n := levelPart(word, at.first, text[end] == ':'); n > 0 {
			return start + i, start + i + n, ""
		}
	}
	return 0, 0, ""
}

// areCapitals reports whether a word begins with two capitals.
func areCapitals(word []byte) bool { return len(word) > 1 && word[1] < 'a' && word[0] < 'a' }

// levelPart returns where a level stands in a word before a bracket or a colon: beside
// its only slash (Celery's INFO/MainProcess, Minecraft's thread/INFO, Icinga's
// information/ApiListener) or, before a colon, behind its last point (Monolog's
// app.ERROR).
func levelPart(word []byte, first, colon bool) (start, n int) {
	if i := bytes.IndexByte(word, '/'); i > 0 {
		head, tail := word[:i], word[i+1:]
		switch {
		case isLevelPart(head, first):
			return 0, len(head)
		case isLevelPart(tail, false):
			return i + 1, len(tail)
		}
	}
	if i := bytes.LastIndexByte(word, '.'); colon && i > 0 && isLevelPart(word[i+1:], false) {
		return i + 1, len(word) - i - 1
	}
	return 0, 0
}

// isLevelPart reports whether a part of a word is a level: in capitals, or the first.
func isLevelPart(part []byte, first bool) bool {
	return len(part) >= shortestLevel && len(part) <= longestLevel &&
		isLevelAt(part, wordPlace{first: first, capitals: areCapitals(part)})
}

// fill completes how the word text[start:end] stands, and reports whether that may be
// how a level does.
func (at *wordPlace) fill(text []byte, start, end int) bool {
	at.bracket = isBracketed(text, start, end)
	at.colon = end < len(text) && text[end] == ':'
	at.listed = bytes.HasPrefix(text[end:], []byte(" ["))
	at.tag = at.colon && areTags(text[:start])
	return at.first || at.capitals || at.bracket || at.tag
}

// nextWord returns where the first word from text[i] on stands; it is empty where
// there is none. What sets a terminal's colour is no word.
func nextWord(text []byte, i int) (start, end int) {
	for i < len(text) && !isNameByte(text[i]) {
		i += max(stamp.ColourLen(text[i:]), 1)
	}
	start = i
	for i < len(text) && isNameByte(text[i]) {
		i++
	}
	return start, i
}

// areTags reports whether all words of text have a colon or a bracket behind them.
func areTags(text []byte) bool {
	for i := gap(text, 0) + 1; i < len(text); i++ {
		if text[i] == ' ' && text[i-1] != ' ' && text[i-1] != ':' && text[i-1] != ']' {
			return false
		}
	}
	return true
}

// isBracketed reports whether the word text[start:end] stands in brackets, alone
// or behind a colon.
func isBracketed(text []byte, start, end int) bool {
	if start == 0 || text[start-1] != '[' && text[start-1] != ':' && text[start-1] != '<' {
		return false
	}
	for end < len(text) && text[end] == ' ' {
		end++
	}
	return end < len(text) && (text[end] == ']' && text[start-1] != '<' || text[end] == '>' && text[start-1] == '<')
}

// ciscoLevel returns the level in a mnemonic such as SYS-5-CONFIG_I, as syslog
// calls it.
func ciscoLevel(word []byte) string {
	for i := 1; i+2 < len(word) && word[i] < 'a'; i++ {
		if word[i] == '-' && word[i+1]-'0' <= 7 && word[i+2] == '-' {
			return severities[word[i+1]-'0']
		}
	}
	return ""
}

// isNameByte reports whether c can stand in the name of a thread, a class or a
// file, in which no level is looked for.
func isNameByte(c byte) bool { return nameBytes[c] }

var nameBytes = func() (all [256]bool) {
	for i := range all {
		c := byte(i)
		all[i] = c|0x20-'a' < 26 || c-'0' <= 9 || c >= 0x80 || bytes.IndexByte([]byte("_.-$/"), c) >= 0
	}
	return all
}()

// The lengths of the shortest and the longest name of a level.
const shortestLevel, longestLevel = len("err"), len("informational")

// isLevelAt reports whether a word, which is neither too short nor too long, names a
// level where it stands. Words that are more than levels do so in fewer places.
func isLevelAt(word []byte, at wordPlace) bool {
	var lower [longestLevel]byte
	n := copy(lower[:], word)
	for i := range n {
		lower[i] |= 0x20
	}
	switch string(lower[:n]) {
	case "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "severe", "critical", "crit", "fatal",
		"panic", "alert", "emerg", "emergency", "verbose", "information", "informational", "dpanic", "dbug":
		return at.first || at.capitals || at.bracket || at.tag
	case "finest", "finer", "fine", "vrb", "dbg", "inf", "wrn", "ftl":
		return at.capitals || at.bracket
	case "note", "system":
		return at.bracket
	case "log", "config":
		return at.capitals && (at.colon || at.listed)
	case "fail":
		return at.first && at.colon
	default:
		return false
	}
}
