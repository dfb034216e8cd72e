package codec

import (
	"github.com/logctl/logctl/pkg/record"
)

// A batchParser is a lineParser that would rather see a whole batch: it does
// what calling parse for each live record and marking the bad ones would.
type batchParser interface{ parseBatch(b *record.Batch) }

// ndjson finds fields in records that are JSON objects.
//
// The structure of the whole record is checked, whichever fields are read (see
// checker), so that what is bad depends on the record alone. A field's names
// are tried in their order, each as Lookup does; the first that holds anything
// but null counts. Of keys that stand twice the first counts.
//
// A record's keys mostly come in an order seen before, so that sequences of
// keys are learned and compared as literal bytes (see shapes). What that path
// does not accept goes through read, which decides; nothing depends on what
// was learned.
type ndjson struct {
	check  checker
	shapes shapes

	keys   map[string]int32 // the keys that a plan's paths can begin with, to their slots
	lens   uint64           // has a bit for the length of each of keys
	fields [][]candidate    // for each field of the plan, the best first
	index  index            // of the batch at hand, or the record
	framed int              // the length of the batch that was indexed to be framed; 0 for none
	slots  []record.Value   // what the keys hold in the record at hand; 0 where absent
	cols   [][]record.Value // the columns of the batch at hand

	key  []byte    // an unescaped key
	seen []segment // the keys of the record at hand, for learning
}

// A candidate is a way to a field: what slot holds, or what lies within it.
type candidate struct {
	slot int32
	then pathNode
}

// unread is the slot of keys that nobody asked for.
const unread int32 = -1

func newNDJSON(plan *record.Plan, strict bool) *ndjson {
	p := &ndjson{keys: map[string]int32{}}
	p.check.strict = strict
	for _, f := range plan.Fields {
		var all []candidate
		for _, name := range f.Names {
			for _, step := range compilePath(name) {
				all = append(all, candidate{p.addKey(step.key), step.then})
			}
		}
		p.fields = append(p.fields, all)
	}
	p.slots = make([]record.Value, len(p.keys))
	p.cols = make([][]record.Value, len(p.fields))
	p.shapes.forget()
	return p
}

func (p *ndjson) addKey(key string) int32 {
	slot, ok := p.keys[key]
	if !ok {
		slot = int32(len(p.keys))
		p.keys[key] = slot
		p.lens |= lenBit(len(key))
	}
	return slot
}

func lenBit(n int) uint64 { return 1 << min(n, 63) }

// parse finds the fields of the record in s, which is row's text.
func (p *ndjson) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin(b)
	p.index.begin(int(s.Off), 0)
	p.framed = 0
	return p.line(b.Data, row, s)
}

// parseBatch finds the fields of all live records of b.
func (p *ndjson) parseBatch(b *record.Batch) {
	p.begin(b)
	if p.framed != len(b.Data) {
		p.index.begin(0, indexAhead)
	}
	p.framed = 0
	for row := range b.Recs {
		rec := &b.Recs[row]
		if !rec.Live() {
			continue
		}
		if reason := p.line(b.Data, row, rec.Value); reason != "" {
			b.SetBad(row, reason)
		}
	}
}

// lines returns the offsets of the newlines of the batch that is parsed next.
func (p *ndjson) lines(data []byte) []int32 {
	p.framed = len(data)
	p.index.begin(0, indexAhead)
	p.index.see(data, len(data))
	return p.index.lines
}

// begin makes the parser ready for records of b.
func (p *ndjson) begin(b *record.Batch) {
	for k := range p.cols {
		p.cols[k] = b.Col(k)
	}
}

func (p *ndjson) line(data []byte, row int, s record.Span) (reason string) {
	start, end := int(s.Off), int(s.End())
	if canIndex && p.follow(data, row, start, end) {
		return ""
	}
	if leaf := p.match(data, start, end); leaf >= 0 {
		p.fillLearned(data, row, leaf)
		if canIndex {
			p.lay(data[:end], start, leaf)
		}
		return ""
	}
	data = data[:end]
	if !p.read(data, start) {
		for _, col := range p.cols {
			col[row] = 0
		}
		return p.check.flaw.reason(data, start)
	}
	for k, col := range p.cols {
		col[row] = p.resolve(data, k)
	}
	p.learn(data)
	return ""
}

// resolve returns the value of field k from the slots.
func (p *ndjson) resolve(data []byte, k int) record.Value {
	for _, c := range p.fields[k] {
		v := p.slots[c.slot]
		if c.then != nil {
			v = c.then.find(data, v)
		}
		if v.Kind() != record.Missing {
			return v
		}
	}
	return 0
}

// read checks the record that begins at data[start] and goes to the end of
// data, fills the slots, and notes the keys that it saw.
func (p *ndjson) read(data []byte, start int) bool {
	clear(p.slots)
	p.seen = p.seen[:0]
	i := space(data, start)
	if i == len(data) || data[i] != '{' {
		p.check.fail(i, unexpected, "a JSON object")
		return false
	}
	i = space(data, i+1)
	if i < len(data) && data[i] == '}' {
		return p.ends(data, start, i+1)
	}
	for from := start; i < len(data); i = space(data, i+1) {
		end, next, escaped := p.check.key(data, i)
		if next < 0 {
			return false
		}
		slot := p.slot(data[i+1:end], escaped)
		p.seen = append(p.seen, segment{from, next, slot})
		v, next := p.check.value(data, next)
		if next < 0 {
			return false
		}
		if slot != unread {
			p.slots[slot] = settle(data, v)
		}
		from, i = next, space(data, next)
		switch {
		case i < len(data) && data[i] == '}':
			return p.ends(data, from, i+1)
		case i == len(data) || data[i] != ',':
			p.check.fail(i, unexpected, wantInObject)
			return false
		}
	}
	p.check.fail(i, unexpected, "a key in quotes")
	return false
}

// ends notes the closing brace before data[i] as the last segment, and checks
// that nothing but white space follows it.
func (p *ndjson) ends(data []byte, from, i int) bool {
	p.seen = append(p.seen, segment{from, i, unread})
	if i = space(data, i); i < len(data) {
		p.check.fail(i, unexpected, "nothing after the object")
		return false
	}
	return true
}

// slot returns the slot that is to be filled from a key: unread for those that
// nobody asked for and those that stand in the record a second time.
func (p *ndjson) slot(key []byte, escaped bool) int32 {
	if escaped {
		p.key = record.AppendUnescaped(p.key[:0], key)
		key = p.key
	}
	if p.lens&lenBit(len(key)) == 0 {
		return unread
	}
	slot, ok := p.keys[string(key)]
	if !ok || p.slots[slot] != 0 {
		return unread
	}
	return slot
}
