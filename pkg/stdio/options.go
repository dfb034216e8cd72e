package stdio

import (
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// A Format says where the records of a stream begin and end: a *codec.Decoder.
type Format interface {
	// Begin looks at the first bytes of a stream, sets the format and the
	// header line of its origin, and returns how many of the bytes are no
	// records. Of the same bytes it says the same.
	Begin(sample []byte, o *record.Origin) (skip int)
	// Enough reports whether the first bytes, which hold a line, are enough for
	// Begin, or whether more should be waited for while there is more.
	Enough(sample []byte) bool
	// Framer returns what finds the ends of records for an origin that Begin
	// has seen. Each ends with a line, at the first or a later newline, unless it
	// is a codec.Sprawler.
	Framer(o *record.Origin) codec.Framer
}

// Options say how files and pipes are read. The zero value of a field other
// than Format is its default.
type Options struct {
	Format    Format
	MaxRecord int           // longer records are bad; by default codec.DefaultMaxRecord
	Follow    bool          // wait for more at the end of a file, and for the next one of its name
	Grows     bool          // another run will read on: what is not whole at the end is left to it
	Uncounted bool          // lines have no numbers: a run that goes on where another ended does not know them
	Strict    bool          // a bad record is the last one: nobody waits for the end of one that is too long
	Poll      time.Duration // how often Follow looks for more, by default 200 ms
	Now       func() int64  // the wall clock, ns since 1970; by default the machine's
	Note      func(string)  // takes what a person should know: that a file was rotated or cut short
}

func (o Options) withDefaults() Options {
	if o.MaxRecord == 0 {
		o.MaxRecord = codec.DefaultMaxRecord
	}
	if o.Poll == 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = func() int64 { return time.Now().UnixNano() }
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return o
}
