package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// A taker turns bodies into records. It belongs to one request at a time.
type taker struct {
	cfg     IntakeConfig
	split   *codec.Posted
	body    []byte
	objects []codec.PostedObject
	answer  []byte   // of 202
	fields  []string // id, timestamp, then those of the defaults
	members [][]byte // `"field":"value"` of the defaults
}

func newTaker(cfg IntakeConfig) *taker {
	t := &taker{cfg: cfg, fields: []string{"id", record.TimeField}}
	for _, d := range cfg.Defaults {
		t.fields = append(t.fields, d.Field)
		member := append(record.AppendQuoted(nil, d.Field), ':')
		t.members = append(t.members, record.AppendQuoted(member, d.Value))
	}
	t.split = codec.NewPosted(t.fields...)
	return t
}

// parse returns the records of a body, completed, and the answer.
func (t *taker) parse(body []byte) (*post, *refusal) {
	t.body = body
	defer func() { t.body = nil }()
	p := &post{answer: make(chan *refusal, 1)}
	var err error
	if t.objects, err = t.split.Split(t.body, t.objects[:0]); err != nil {
		bad, _ := errors.AsType[*codec.PostedError](err)
		return p, &refusal{code: http.StatusBadRequest, Error: bad.Error(), Line: bad.Line, Byte: bad.Byte}
	}
	p.text = make([]byte, 0, len(t.body)+len(t.objects)*t.most())
	p.sizes = make([]int, 0, len(t.objects))
	now := time.Now().UnixNano()
	t.answer = strconv.AppendInt(append(t.answer[:0], `{"accepted":`...), int64(len(t.objects)), 10)
	t.answer = append(t.answer, `,"ids":[`...)
	for i, o := range t.objects {
		start := len(p.text)
		if i > 0 && t.cfg.Fill {
			t.answer = append(t.answer, ',')
		}
		p.text = append(t.complete(p.text, o, now), '\n')
		size := len(p.text) - start
		if most := t.cfg.MaxRecord; most > 0 && size-1 > most {
			return p, &refusal{
				code:  http.StatusRequestEntityTooLarge,
				Error: fmt.Sprintf("record %d of the body is %s", i+1, codec.TooLong(most)),
			}
		}
		p.sizes = append(p.sizes, size)
	}
	p.reply = slices.Concat(t.answer, []byte("]}\n"))
	return p, nil
}

// most is the greatest number of bytes by which a record grows.
func (t *taker) most() int {
	n := len(`"id":"00000000-0000-0000-0000-000000000000","timestamp":"2006-01-02T15:04:05.000Z",`) + 1
	for _, m := range t.members {
		n += len(m) + 1
	}
	return n
}

// complete appends the record o to dst, and its id to the answer. What it lacks
// comes first: of a member that stands twice the first counts.
func (t *taker) complete(dst []byte, o codec.PostedObject, now int64) []byte {
	object := t.body[o.Off:o.End()]
	if !t.cfg.Fill {
		return append(dst, object...)
	}
	if lacks := o.Null &^ o.Has; lacks != 0 && !t.split.BlankNulls(t.body, o, lacks) {
		o.Empty = true
	}
	dst = append(dst, '{')
	start := len(dst)
	if o.Has&1 == 0 {
		id := uuid.Must(uuid.NewV7())
		dst = record.AppendQuoted(append(dst, `"id":`...), id.String())
		t.answer = record.AppendQuoted(t.answer, id.String())
		dst = append(dst, ',')
	} else {
		t.answer = t.appendID(o.First)
	}
	if o.Has&2 == 0 {
		dst = stamp.AppendRFC3339(append(dst, `"timestamp":"`...), now)
		dst = append(dst, `",`...)
	}
	for k, m := range t.members {
		if o.Has>>(k+2)&1 == 0 {
			dst = append(append(dst, m...), ',')
		}
	}
	if o.Empty && len(dst) > start {
		dst = dst[:len(dst)-1]
	}
	return append(dst, object[1:]...)
}

// appendID appends the id that a record came with to the answer.
func (t *taker) appendID(v record.Value) []byte {
	raw := t.body[v.Off() : v.Off()+v.Len()]
	if v.Kind() == record.String || v.Kind() == record.Escaped {
		return append(append(append(t.answer, '"'), raw...), '"')
	}
	return append(t.answer, raw...)
}
