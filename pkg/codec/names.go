package codec

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// FieldNames returns the names of fields that records of b have: those of the
// first record that is not bad, or of all records where the format fixes them.
// It is for saying what a mistyped name may have meant; call it once. Nested
// names are not among them.
func FieldNames(b *record.Batch) []string {
	if b.Origin == nil {
		return nil
	}
	return namesOf(b, b.Origin.Format)
}

// headerOf returns the header of the records of b.
func headerOf(b *record.Batch) string { return cmp.Or(b.Header, b.Origin.Header) }

func namesOf(b *record.Batch, format string) []string {
	name, rest := splitFormat(format)
	switch name {
	case "csv":
		return withTimestamp(headerNames(',', headerOf(b), rest), "")
	case "ssv":
		return withTimestamp(headerNames(';', headerOf(b), rest), "")
	case "zeek":
		return readZeekHeader(headerOf(b)).names
	case "tsv":
		return withTimestamp(tsvNames(headerOf(b), rest), "")
	case "w3c":
		header := readW3CHeader(headerOf(b))
		return withTimestamp(header.names, header.date)
	case "common":
		return slices.Clone(accessNames[:accessReferer])
	case "combined":
		return slices.Clone(accessNames[:])
	case "syslog":
		return slices.Clone(syslogNames[:])
	case "docker", "cri":
		return wrappedNames(namesOf(messagesOf(b, name), rest))
	case "plain":
		return []string{"timestamp", "level", "message"}
	case "regex":
		return groupNames(rest)
	}
	for row := range b.Recs {
		if b.Recs[row].Live() && b.Recs[row].Value.Len > 0 {
			return keysOfRecord(b, row, name)
		}
	}
	return nil
}

// wrappedNames returns the names of messages and of what Docker or a CRI runtime adds.
func wrappedNames(inner []string) []string {
	for _, name := range []string{"timestamp", "stream"} {
		if !slices.Contains(inner, name) {
			inner = append(inner, name)
		}
	}
	return inner
}

// messagesOf returns a batch of what Docker or a CRI runtime has wrapped.
func messagesOf(b *record.Batch, wrapper string) *record.Batch {
	inner := &record.Batch{Origin: b.Origin, Header: b.Header}
	for row := range b.Recs[:min(len(b.Recs), sampleLines)] {
		for _, text := range unwrap(wrapper, b.Value(row)) {
			inner.Add(text)
		}
	}
	return inner
}

func groupNames(pattern string) []string {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(re.SubexpNames(), func(name string) bool { return name == "" })
}

// keysOfRecord returns the keys of a record in NDJSON, logfmt, LTSV or OTLP.
func keysOfRecord(b *record.Batch, row int, format string) (keys []string) {
	switch format {
	case "otlp":
		return otlpKeys(b, b.Recs[row].Value)
	case "ltsv":
		return ltsvKeys(b.Value(row))
	case "logfmt":
		return logfmtKeys(b.Value(row))
	}
	var m Members
	for m.Reset(b, b.Recs[row].Value); ; {
		key, _, ok := m.Next()
		if !ok {
			return keys
		}
		keys = append(keys, string(key))
	}
}

// logfmtKeys returns the keys of a line.
func logfmtKeys(line []byte) (keys []string) {
	for i := gap(line, 0); i < len(line); i = gap(line, i) {
		start := i
		if i = keyEnd(line, i); i == start {
			break
		}
		keys = append(keys, string(line[start:i]))
		if i < len(line) && line[i] == '=' {
			if i = valueEnd(line, i+1); i < 0 {
				break
			}
		}
	}
	return withTimestamp(keys, "")
}
