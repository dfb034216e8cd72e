package expr_test

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// batch returns a batch with the given lines of JSON as records. An empty line
// is a tombstone.
func batch(lines ...string) *record.Batch {
	b := &record.Batch{Origin: &record.Origin{Source: "app-logs", Partition: 3, Topic: true, Modified: record.NoTime}}
	for _, line := range lines {
		r := b.Add([]byte(line))
		if line == "" {
			r.Flags |= record.Tombstone
		}
	}
	return b
}

// fill finds the fields of plan in all records of b, by encoding/json: slow,
// and independent of package codec.
func fill(b *record.Batch, plan *record.Plan) {
	for i := range b.Recs {
		for k, f := range plan.Fields {
			raw := lookup(b.Value(i), f)
			v := record.Value(0)
			if kind := kindOf(raw); kind != record.Missing {
				if kind == record.String || kind == record.Escaped {
					raw = raw[1 : len(raw)-1]
				}
				off := len(b.Data)
				b.Data = append(b.Data, raw...)
				v = record.NewValue(kind, off, len(raw))
			}
			b.Col(k)[i] = v
		}
	}
}

// lookup returns the first value that one of the field's names leads to.
func lookup(value []byte, f record.Field) json.RawMessage {
	for _, name := range f.Names {
		if raw := member(value, name); kindOf(raw) != record.Missing {
			return raw
		}
		raw := json.RawMessage(value)
		for _, s := range record.Steps(name) {
			if s.Array {
				raw = element(raw, s.Index)
			} else {
				raw = member(raw, s.Name)
			}
		}
		if kindOf(raw) != record.Missing {
			return raw
		}
	}
	return nil
}

func member(raw []byte, name string) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m[name]
}

func element(raw []byte, index int) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	if index < 0 {
		index += len(list)
	}
	if index < 0 || index >= len(list) {
		return nil
	}
	return list[index]
}

func kindOf(raw []byte) record.Kind {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return record.Missing
	case raw[0] == 't':
		return record.True
	case raw[0] == 'f':
		return record.False
	case raw[0] == '{':
		return record.Object
	case raw[0] == '[':
		return record.Array
	case raw[0] != '"':
		return record.Number
	case bytes.IndexByte(raw, '\\') >= 0:
		return record.Escaped
	default:
		return record.String
	}
}

// firstLine returns the message of an error without the query below it.
func firstLine(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(line, "expression: ")
}
