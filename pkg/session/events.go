package session

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// eventFields are what an event gets.
var eventFields = []string{"session_id", "session_seq", "session_age_ms"}

// appendEvent appends a record to what was captured of it, with its length
// behind it.
func appendEvent(captured, value []byte) []byte {
	captured = append(captured, value...)
	return binary.LittleEndian.AppendUint32(captured, uint32(len(value)))
}

// captured returns what Capture has written of an event.
func (o *Op) captured(h *held) []byte {
	text := o.order.texts.at(h.text, int(h.size))
	if !o.cfg.Events {
		return text
	}
	text, _ = cutEvent(text)
	return text
}

// cutEvent divides what appendEvent has joined.
func cutEvent(text []byte) (captured, value []byte) {
	end := len(text) - 4
	at := end - int(binary.LittleEndian.Uint32(text[end:]))
	return text[:at], text[at:end]
}

// writeEvent writes an event that is the last one of a session so far.
func (o *Op) writeEvent(h *held, n uint32, out stream.Output) error {
	row, err := o.writer.Row(out)
	if err != nil {
		return err
	}
	s := o.sessions.at(n)
	kind, text := o.users.key(h.user)
	_, value := cutEvent(o.order.texts.at(h.text, int(h.size)))
	row.Data = openObject(row.Data, value)
	row.Data = append(row.Data, `"session_id":"`...)
	row.Data = o.appendID(row.Data, n)
	row.Data = strconv.AppendUint(append(row.Data, `","session_seq":`...), o.sessions.events(n), 10)
	row.Data = appendMillis(append(row.Data, `,"session_age_ms":`...), h.time-s.start)
	row.Data = append(row.Data, '}')
	o.row.key = o.keys.AppendKey(o.row.key[:0], kind, text)
	o.writer.End(h.time, o.row.key)
	o.stats.rows.Add(1)
	return nil
}

// openObject appends a record as a JSON object that is open for further members.
// Those of its own that have their names are left out; what is no object becomes
// the member "message".
func openObject(dst, value []byte) []byte {
	var b record.Batch
	var members codec.Members
	if !bytes.Contains(value, []byte("session_")) {
		if body, ok := bytes.CutSuffix(bytes.TrimRight(value, " \t\r\n"), []byte("}")); ok && isObject(value) {
			dst = append(dst, body...)
			if last := bytes.TrimRight(body, " \t\r\n"); last[len(last)-1] != '{' {
				dst = append(dst, ',')
			}
			return dst
		}
	}
	start := len(dst)
	b.Data = value
	members.Reset(&b, record.Span{Len: uint32(len(value))})
	dst = append(dst, '{')
	for {
		key, v, ok := members.Next()
		if !ok {
			break
		}
		if !slices.Contains(eventFields, string(key)) {
			dst = append(record.AppendQuoted(dst, key), ':')
			dst = append(b.AppendJSON(dst, v), ',')
		}
	}
	if !members.Whole() {
		dst = append(record.AppendQuoted(append(dst[:start], `{"message":`...), value), ',')
	}
	return dst
}

// isObject reports whether a record that is not bad is a JSON object.
func isObject(value []byte) bool {
	value = bytes.TrimLeft(value, " \t\r\n")
	return len(value) > 1 && value[0] == '{'
}
