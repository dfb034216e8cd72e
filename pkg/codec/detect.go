package codec

import (
	"bytes"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// sampleLines is how many lines are looked at to find a format.
const sampleLines = 20

// splitSample returns the first lines of a sample that are not empty, without
// the last where it may be cut off.
func splitSample(sample []byte) [][]byte {
	lines := make([][]byte, 0, sampleLines)
	for len(sample) > 0 && len(lines) < sampleLines {
		end := lineEnd(sample, 0)
		if end == len(sample) && len(lines) > 0 {
			break
		}
		if line := bytes.TrimSuffix(sample[:end], []byte{'\r'}); len(line) > 0 {
			lines = append(lines, line)
		}
		sample = sample[min(end+1, len(sample)):]
	}
	return lines
}

// detect returns the format of lines: the first, from the most particular to
// the most general, that most of them have. inside says that there can be no
// header line.
func detect(lines [][]byte, inside bool) string {
	if len(lines) == 0 {
		return "plain"
	}
	if !inside && isZeek(lines) {
		return "zeek"
	}
	if !inside && isW3C(lines) {
		return "w3c"
	}
	for _, candidate := range []struct {
		format string
		fits   func(line []byte) bool
	}{
		{"otlp", isOTLP},
		{"docker", isDocker},
		{"ndjson", isJSON},
		{"cri", isCRI},
		{"combined", isCombined},
		{"common", isCommon},
	} {
		if most(lines, candidate.fits) {
			return withInner(candidate.format, lines)
		}
	}
	csvlog := csvlogFormat(lines)
	switch {
	case isSyslog(lines):
		return "syslog"
	case csvlog != "":
		return csvlog
	case most(lines, isLTSV):
		return "ltsv"
	case !inside && isTable(lines, ','):
		return "csv"
	case !inside && isTable(lines, '\t'):
		return "tsv"
	case !inside && isTable(lines, ';'):
		return "ssv"
	case most(lines, isLogfmt):
		return "logfmt"
	default:
		return "plain"
	}
}

// most reports whether at least two thirds of lines fit, so that an odd line
// neither makes a format nor breaks one.
func most(lines [][]byte, fits func([]byte) bool) bool {
	misses := 0
	for _, line := range lines {
		if fits(line) {
			continue
		}
		if misses++; misses*3 > len(lines) {
			return false
		}
	}
	return true
}

// fits asks a parser whether a line is of its format.
func fits(p lineParser, line []byte) bool {
	b := &record.Batch{}
	rec := b.Add(line)
	return p.parse(b, 0, rec.Value) == ""
}

func isCRI(line []byte) bool {
	return fits(newCRI(record.NewPlan(), newPlain(record.NewPlan())), line)
}

func isCommon(line []byte) bool { return fits(newAccess(record.NewPlan()), line) }

// withInner adds to a wrapper's name the format of what is within.
func withInner(format string, lines [][]byte) string {
	if format != "docker" && format != "cri" {
		return format
	}
	return format + ":" + detectWithin(format, lines)
}

// detectWithin returns the format of the messages within lines that Docker or
// a CRI runtime has wrapped.
func detectWithin(wrapper string, lines [][]byte) string {
	return detect(unwrap(wrapper, lines...), true)
}

// unwrap returns the messages within lines that have one.
func unwrap(wrapper string, lines ...[]byte) [][]byte {
	var messages collector
	var p lineParser = newCRI(record.NewPlan(), &messages)
	if wrapper == "docker" {
		p = newDocker(record.NewPlan(), &messages)
	}
	for _, line := range lines {
		fits(p, line)
	}
	return messages.lines
}

// A collector is a lineParser that keeps the lines that it is given.
type collector struct{ lines [][]byte }

func (c *collector) parse(b *record.Batch, _ int, s record.Span) string {
	if s.Len > 0 {
		c.lines = append(c.lines, bytes.Clone(b.Bytes(s)))
	}
	return ""
}

// isJSON reports whether line begins as an object does. It need not be whole:
// one that is broken is a bad record, not plain text.
func isJSON(line []byte) bool {
	i := space(line, 0)
	if i == len(line) || line[i] != '{' {
		return false
	}
	i = space(line, i+1)
	return i < len(line) && (line[i] == '"' || line[i] == '}')
}

// isDocker reports whether line has the keys that Docker's json-file writes.
func isDocker(line []byte) bool {
	return keysOf(line, "log", "stream", "time") == 1<<3-1
}

// isOTLP reports whether line is a request of OTLP/JSON or a record of one.
func isOTLP(line []byte) bool {
	const request, stamps, others = 1 << 0, 1<<1 | 1<<2, 1<<3 | 1<<4
	keys := keysOf(line, "resourceLogs", "timeUnixNano", "observedTimeUnixNano", "body", "severityNumber")
	return keys&request != 0 || keys&stamps != 0 && keys&others != 0
}

// keysOf returns which of names are keys of the object in line, a bit for each.
func keysOf(line []byte, names ...string) (found uint) {
	if !isJSON(line) {
		return 0
	}
	b := &record.Batch{Data: line}
	var m Members
	for m.Reset(b, record.Span{Len: uint32(len(line))}); ; {
		key, _, ok := m.Next()
		if !ok {
			return found
		}
		for i, name := range names {
			if string(key) == name {
				found |= 1 << i
			}
		}
	}
}

// isCombined reports whether line is an access log's with a user agent.
func isCombined(line []byte) bool {
	plan := record.NewPlan()
	plan.Column("user_agent")
	plan.Column("referer")
	return fits(newAccess(plan), line) && bytes.HasSuffix(line, []byte{'"'}) &&
		bytes.Count(line, []byte(`" "`)) > 0
}

// isLogfmt reports whether line begins with a key and a value, has two pairs or
// more, and most of its words are pairs.
func isLogfmt(line []byte) bool {
	pairs, words := 0, 0
	for i := gap(line, 0); i < len(line); i = gap(line, i) {
		start := i
		if i = keyEnd(line, i); i == start || !isName(line[start:i]) {
			return false
		}
		words++
		if i == len(line) || line[i] != '=' {
			if pairs == 0 || i < len(line) && line[i] == '"' {
				return false
			}
			continue
		}
		pairs++
		if i = valueEnd(line, i+1); i < 0 {
			return false
		}
	}
	return pairs >= 2 && pairs*2 > words
}

// isTable reports whether lines are a header and records with as many columns
// each. Records that go over several lines are put together first.
func isTable(lines [][]byte, separator byte) bool {
	rows := lines
	if separator != '\t' {
		rows = joinQuoted(lines, separator)
	}
	if len(rows) < 2 || !isHeaderLine(rows[0], separator) {
		return false
	}
	n := len(columnsOf(rows[0], separator))
	return most(rows[1:], func(row []byte) bool {
		got := len(columnsOf(row, separator))
		return got == n || got < n && separator != '\t' && isCut(row, separator)
	})
}

// isCut reports whether a record of CSV ends within quotes, in the lines behind
// those that are looked at.
func isCut(row []byte, separator byte) bool {
	for i := 0; i <= len(row); {
		_, next, _, ok := csvField(row, i, separator)
		if !ok {
			return closingQuote(row, i+1) < 0
		}
		i = next
	}
	return false
}

// isHeaderLine reports whether a line can name the columns of a table.
func isHeaderLine(line []byte, separator byte) bool {
	header := columnsOf(line, separator)
	prose := bytes.Contains(line, []byte{separator, ' '}) // a space behind a comma is how people write
	return len(header) >= 2 && !prose && isHeader(header)
}

// joinQuoted joins lines that newlines within quotes have parted.
func joinQuoted(lines [][]byte, separator byte) [][]byte {
	text := bytes.Join(lines, newline)
	var rows [][]byte
	for i := 0; i < len(text); {
		end := csvEnd(text, i, separator)
		rows = append(rows, text[i:end])
		i = end + 1
	}
	return rows
}

func columnsOf(row []byte, separator byte) []string {
	if separator == '\t' {
		return tsvColumns(string(row))
	}
	return csvNames(string(row), separator)
}

// isHeader reports whether columns can be the names of some: like names, none a
// number or a sentence, and most of them different.
func isHeader(columns []string) bool {
	seen := map[string]bool{}
	for _, name := range columns {
		if !isName([]byte(name)) || len(name) > 64 {
			return false
		}
		seen[name] = true
	}
	return len(seen) > 1 && len(seen)*2 > len(columns)
}

// isName reports whether text looks like the name of a field: it begins with a
// letter, and has no punctuation but that of paths and units.
func isName(text []byte) bool {
	if len(text) == 0 || text[0] < 0x80 && text[0]|0x20-'a' >= 26 && text[0] != '_' && text[0] != '@' {
		return false
	}
	for _, c := range text {
		if c < 0x80 && c|0x20-'a' >= 26 && c-'0' > 9 && strings.IndexByte("_-.@/ \t()[]#%$", c) < 0 {
			return false
		}
	}
	return true
}
