package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
)

// A documentFramer has a record for each object of a JSON document: an array of
// objects, the list of a holder, or objects one after the other, however they are
// spread over lines. White space, commas and the brackets of arrays part them; any
// other bytes are a bad record, so that none gets lost. One that is broken ends where
// the next seems to begin: see documentRest.
//
// What was before a record makes no difference, so that a run may begin at any, and an
// array whose end is still to be written, or was cut off, is none the worse for it.
type documentFramer struct {
	holder    *holder // nil where objects stand in an array or by themselves
	maxRecord int
}

// A Sprawler is a Framer whose records may end within a line.
type Sprawler interface {
	Framer
	// Lead returns how many bytes stand in data before its first record.
	Lead(data []byte) int
	// Rest returns what finds where the record that begins at data[lead:] ends, of
	// which data holds more than a record may have.
	Rest(data []byte, lead int) Rest
}

// A Rest is shown a record from its beginning on, in pieces. It returns how many
// bytes of the piece belong to the record, and whether that is its end; if it is
// not, it is to be shown the other bytes again, with more behind them.
type Rest func(piece []byte) (n int, ended bool)

// Cut leaves the line end in front of a record, by which its indent is known, and cuts
// nothing off by which a record is known to be broken.
func (f documentFramer) Cut(data []byte) int {
	var w documentWalk
	cut, seen := 0, 0
	for off := 0; ; {
		from, whole := w.lead(f.holder, data, off)
		if !whole || from == len(data) {
			if off == cut {
				cut += unindented(data[cut:from])
			}
			return cut
		}
		end, reason, whole := w.record(data, off, from, f.maxRecord)
		if !whole {
			return cut
		}
		if reason != "" {
			seen = max(seen, min(w.check.flaw.at, len(data)-1)+1)
		}
		if off = end; off >= seen {
			cut = off
		}
	}
}

// unindented returns how many bytes in front of a record say nothing of its indent.
func unindented(lead []byte) int {
	if line := bytes.LastIndexByte(lead, '\n'); line >= 0 && len(lead)-line <= maxIndent {
		return line
	}
	return len(lead)
}

func (f documentFramer) Frame(b *record.Batch) {
	var w documentWalk
	line, step := numbering(b)
	for off := 0; ; {
		from, _ := w.lead(f.holder, b.Data, off)
		if from == len(b.Data) {
			return
		}
		end, reason, _ := w.record(b.Data, off, from, f.maxRecord)
		line += step * int64(bytes.Count(b.Data[off:from], newline))
		appendRecord(b, from, end, line, f.maxRecord)
		if reason != "" {
			b.SetBad(len(b.Recs)-1, reason)
		}
		line += step * int64(bytes.Count(b.Data[from:end], newline))
		off = end
	}
}

// Lead returns how many bytes stand in data before its first record.
func (f documentFramer) Lead(data []byte) int {
	var w documentWalk
	from, _ := w.lead(f.holder, data, 0)
	return from
}

// Rest returns what finds the end of a record that is too long.
func (f documentFramer) Rest(data []byte, lead int) Rest {
	var w documentWalk
	window := data[:lead+f.maxRecord+1]
	w.value(window, lead)
	return w.rest(window, 0, lead).end
}

// A documentWalk goes through a document, or a part of one.
type documentWalk struct{ check checker }

// lead returns where the first record from data[i] on begins, or what is none. whole
// is false where a part of the document around the records begins there, and goes on
// behind data.
func (w *documentWalk) lead(around *holder, data []byte, i int) (from int, whole bool) {
	for {
		i = pastParts(data, i)
		if around == nil || i == len(data) {
			return i, true
		}
		next, whole := around.skip(&w.check, data, i)
		if next == i || !whole {
			return i, whole
		}
		i = next
	}
}

// parts are the bytes that part the records of a document.
var parts = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, '[': true, ']': true}

// pastParts returns the index of the first byte from data[i] on that does not part
// records, or len(data).
func pastParts(data []byte, i int) int {
	for i < len(data) && parts[data[i]] {
		i++
	}
	return i
}

// record returns where the record ends that begins at data[from], why it is bad, and
// whether that is known: else it goes on behind data. The bytes from data[prev] on are
// what parts it from the record before.
func (w *documentWalk) record(data []byte, prev, from, maxRecord int) (end int, reason string, whole bool) {
	window := data[:min(len(data), from+maxRecord+1)]
	if end = w.value(window, from); end >= 0 {
		return end, "", true
	}
	reason = w.check.flaw.reason(window, from)
	if len(window) == len(data) && w.check.unended(data) {
		return len(data), reason, false
	}
	n, whole := w.rest(window, prev, from).end(data[from:])
	if !whole {
		return len(data), reason, false
	}
	return from + n, reason, true
}

// value returns where the object that begins at data[i] ends, -1 where it has a flaw.
func (w *documentWalk) value(data []byte, i int) int {
	if data[i] != '{' {
		return w.check.fail(i, unexpected, "a JSON object")
	}
	w.check.oneLine = true
	_, next := w.check.value(data, i)
	return next
}

// pack takes the white space outside of strings from the records of a document, so that
// each is one line. They become shorter where they stand.
func pack(b *record.Batch) {
	for i := range b.Recs {
		rec := &b.Recs[i]
		if !rec.Live() {
			continue
		}
		whole := int(rec.Value.Len)
		n := packed(b.Bytes(rec.Value))
		rec.Value.Len = uint32(n)
		end := int(rec.Value.End())
		if end < len(b.Data) && (parts[b.Data[end]] || n < whole) {
			b.Data[end] = '\n' // runs of records are written as one
		}
	}
}

// packed moves what is not white space, or is in strings, to the beginning of a JSON
// value and returns its length.
func packed(value []byte) (n int) {
	for i := 0; i < len(value); {
		switch {
		case value[i] == '"':
			end, _ := stringEnd(value, i+1)
			n += copy(value[n:], value[i:end+1])
			i = end + 1
		case isSpace(value[i]):
			i++
		default:
			value[n] = value[i]
			n++
			i++
		}
	}
	return n
}
