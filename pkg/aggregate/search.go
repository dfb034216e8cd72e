package aggregate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// Search calls f for the keys that a text may mean, the likeliest first, until f
// returns false. A key of one part is named by its text or its JSON, a key of several
// parts by these with commas between them, or by a JSON array.
func (ks *Keys) Search(name string, f func(hash uint64, kind record.Kind, text []byte) bool) {
	try := func(kind record.Kind, text []byte) bool { return f(HashKey(kind, text), kind, text) }
	if !ks.single {
		if text, ok := ks.joined(name); ok && !try(record.Array, text) {
			return
		}
		for _, text := range ks.Candidates(name, maxCandidates) {
			if !try(record.Array, text) {
				return
			}
		}
		return
	}
	if !try(record.String, []byte(name)) {
		return
	}
	switch text := []byte(name); {
	case name == "null":
		try(record.Missing, nil)
	case name == "true":
		try(record.True, nil)
	case name == "false":
		try(record.False, nil)
	case len(text) == 0 || !json.Valid(text):
	case text[0] == '"':
		var s string
		if json.Unmarshal(text, &s) == nil {
			try(record.String, []byte(s))
		}
	case text[0] == '[':
		try(record.Array, text)
	case text[0] == '{':
		try(record.Object, text)
	default:
		try(record.Number, text)
	}
}

// maxCandidates bounds the ways to read a key of several parts.
const maxCandidates = 64

// joined returns what join makes of the parts of a JSON array.
func (ks *Keys) joined(name string) (text []byte, ok bool) {
	var parts []json.RawMessage
	if json.Unmarshal([]byte(name), &parts) != nil || len(parts) != len(ks.parts) {
		return nil, false
	}
	for _, p := range parts {
		text = appendPart(text, bytes.TrimSpace(p))
	}
	return text, true
}

// appendPart appends the JSON of a part as join does.
func appendPart(text, part []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(text, uint32(len(part))), part...)
}

// Candidates returns the keys of several parts that plain may mean, at most limit of
// them. In plain the parts have commas between them and strings are not quoted. A part
// may itself contain commas, and may be a string even if it looks like a number or a
// word of JSON, so there may be many.
func (ks *Keys) Candidates(plain string, limit int) (all [][]byte) {
	var read func(begun []byte, words []string, left int)
	read = func(begun []byte, words []string, left int) {
		if left == 0 {
			all = append(all, begun)
			return
		}
		least := 1
		if left == 1 {
			least = len(words)
		}
		for n := least; n <= len(words)-left+1 && len(all) < limit; n++ {
			w := strings.Join(words[:n], ",")
			read(appendPart(slices.Clone(begun), record.AppendQuoted(nil, []byte(w))), words[n:], left-1)
			if json.Valid([]byte(w)) && w[0] != '"' && len(all) < limit {
				read(appendPart(slices.Clone(begun), []byte(w)), words[n:], left-1)
			}
		}
	}
	if words := strings.Split(plain, ","); len(words) >= len(ks.parts) {
		read(nil, words, len(ks.parts))
	}
	return all
}
