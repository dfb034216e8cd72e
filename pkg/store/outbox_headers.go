package store

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// appendHeaders writes the headers of a record as an outbox has them.
func appendHeaders(dst []byte, b *record.Batch, rec *record.Rec) []byte {
	dst = append(dst, '[')
	for i, h := range b.HeadersOf(rec) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = append(appendBytes(dst, b.Bytes(h.Key)), ',')
		dst = append(appendBytes(dst, b.Bytes(h.Value)), ']')
	}
	return append(dst, ']')
}

func appendBytes(dst, s []byte) []byte {
	if utf8.Valid(s) {
		return record.AppendQuoted(dst, s)
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, `{"base64":"`...), s)
	return append(dst, `"}`...)
}

// addHeaders adds headers as an outbox has them to b.
func addHeaders(b *record.Batch, text string) (record.Span, error) {
	first := len(b.Headers)
	if text == "" {
		return record.Span{}, nil
	}
	var pairs [][]headerText
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return record.Span{}, errHeaders
	}
	for _, p := range pairs {
		if len(p) != 2 {
			return record.Span{}, errHeaders
		}
		key := record.AppendSpan(b, []byte(p[0]))
		b.Headers = append(b.Headers, record.Header{Key: key, Value: record.AppendSpan(b, []byte(p[1]))})
	}
	return record.Span{Off: uint32(first), Len: uint32(len(b.Headers) - first)}, nil
}

var errHeaders = errors.New(`want pairs in a JSON array, as in [["name","value"]]`)

// headerText is a string, or {"base64":…}.
type headerText []byte

// UnmarshalJSON implements json.Unmarshaler.
func (h *headerText) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) == nil {
		*h = headerText(s)
		return nil
	}
	var coded struct {
		Base64 *[]byte `json:"base64"`
	}
	if err := json.Unmarshal(text, &coded); err != nil || coded.Base64 == nil {
		return errHeaders
	}
	*h = *coded.Base64
	return nil
}
