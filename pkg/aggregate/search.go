package aggregate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"github.com/logctl/logctl/pkg/record"
)

// Search calls f for the keys that a text may name, the likeliest first, until it
// returns false. A key of one part is named by its text, or by its JSON; one of
// several by its JSON, an array.
func (ks *Keys) Search(name string, f func(hash uint64, kind record.Kind, text []byte) bool) {
	try := func(kind record.Kind, text []byte) bool { return f(HashKey(kind, text), kind, text) }
	if !ks.single {
		if text, ok := ks.joined(name); ok {
			try(record.Array, text)
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

// joined returns what join makes of the parts of a JSON array.
func (ks *Keys) joined(name string) (text []byte, ok bool) {
	var parts []json.RawMessage
	if json.Unmarshal([]byte(name), &parts) != nil || len(parts) != len(ks.parts) {
		return nil, false
	}
	for _, p := range parts {
		p = bytes.TrimSpace(p)
		text = binary.LittleEndian.AppendUint32(text, uint32(len(p)))
		text = append(text, p...)
	}
	return text, true
}
