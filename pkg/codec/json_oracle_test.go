package codec

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// A tree is a JSON value as encoding/json's tokens tell it, duplicate keys
// included: the oracle of the tests.
type tree struct {
	kind    record.Kind
	text    string // of strings and numbers
	keys    []string
	members []*tree
}

func decodeTree(tb testing.TB, text []byte) *tree {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return readTree(tb, d)
}

func readTree(tb testing.TB, d *json.Decoder) *tree {
	token, err := d.Token()
	if err != nil {
		tb.Fatal(err)
	}
	switch token := token.(type) {
	case nil:
		return nil
	case bool:
		if token {
			return &tree{kind: record.True, text: "true"}
		}
		return &tree{kind: record.False, text: "false"}
	case json.Number:
		return &tree{kind: record.Number, text: string(token)}
	case string:
		return &tree{kind: record.String, text: token}
	}
	t := &tree{kind: record.Array}
	if token == json.Delim('{') {
		t.kind = record.Object
	}
	for d.More() {
		if t.kind == record.Object {
			key, err := d.Token()
			if err != nil {
				tb.Fatal(err)
			}
			t.keys = append(t.keys, key.(string))
		}
		t.members = append(t.members, readTree(tb, d))
	}
	if _, err := d.Token(); err != nil {
		tb.Fatal(err)
	}
	return t
}

var indexes = regexp.MustCompile(`^(\[-?[0-9]{1,8}\])+(\.|$)`)

// descend finds path in the object t: the longest literal key first.
func (t *tree) descend(path string) *tree {
	if t == nil || t.kind != record.Object {
		return nil
	}
	for cut := len(path); cut >= 0; cut-- {
		index := cut > 0 && path[cut-1] != '.' && indexes.MatchString(path[cut:])
		if cut < len(path) && path[cut] != '.' && !index {
			continue
		}
		if found := t.member(path[:cut]).follow(path[cut:]); found != nil {
			return found
		}
	}
	return nil
}

func (t *tree) member(key string) *tree {
	for i, k := range t.keys {
		if k == key {
			return t.members[i]
		}
	}
	return nil
}

func (t *tree) follow(rest string) *tree {
	switch {
	case t == nil || rest == "":
		return t
	case rest[0] == '.' && !indexes.MatchString(rest[1:]):
		return t.descend(rest[1:])
	case rest[0] == '.':
		rest = rest[1:]
	}
	if t.kind != record.Array {
		return nil
	}
	end := bytes.IndexByte([]byte(rest), ']')
	i, _ := strconv.Atoi(rest[1:end])
	if i < 0 {
		i += len(t.members)
	}
	if i < 0 || i >= len(t.members) {
		return nil
	}
	return t.members[i].follow(rest[end+1:])
}

// field finds the first of names that holds something.
func (t *tree) field(names []string) *tree {
	for _, name := range names {
		if found := t.descend(name); found != nil {
			return found
		}
	}
	return nil
}

// same reports whether v is what the oracle found.
func (t *tree) same(tb testing.TB, b *record.Batch, v record.Value) bool {
	if t == nil {
		return v == 0
	}
	switch v.Kind() {
	case record.Object, record.Array:
		return t.equal(decodeTree(tb, b.Raw(v)))
	case record.Escaped:
		return t.kind == record.String && t.text == string(b.Text(v))
	default:
		return t.kind == v.Kind() && t.text == string(b.Raw(v))
	}
}

func (t *tree) equal(u *tree) bool {
	if t == nil || u == nil {
		return t == u
	}
	if t.kind != u.kind || t.text != u.text || len(t.members) != len(u.members) {
		return false
	}
	for i := range t.members {
		if t.kind == record.Object && t.keys[i] != u.keys[i] || !t.members[i].equal(u.members[i]) {
			return false
		}
	}
	return true
}
