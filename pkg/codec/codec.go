// Package codec turns bytes into records with fields, and records into bytes.
// Each format is one file. A format does not change the bytes of a record (OTLP's
// requests of many apart): it says where in them the fields that a plan asks for stand.
package codec

import (
	"github.com/logctl/logctl/pkg/record"
)

// DefaultMaxRecord is the greatest size of a record in bytes where none is
// given: what fits into a Kafka message by default.
const DefaultMaxRecord = 1_000_000

// Options say how a stream of bytes is to be read.
type Options struct {
	Format    string // a name of Formats, "regex:PATTERN", "csv:a,b,c"; "" or "auto" to look at the first lines
	Multiline string // a regular expression that the first line of a record matches; "" for one line a record
	MaxRecord int    // longer records are bad; 0 for DefaultMaxRecord
	Strict    bool   // the values of fields that nobody reads are checked too
	Check     bool   // records are checked although nobody reads fields of them
	Objects   bool   // records that are no JSON become JSON objects of all their fields
	Envelope  bool   // each line is an envelope: see envelope.go
}

// A Framer says where the records of a stream of bytes end.
type Framer interface {
	// Cut returns the length of the longest prefix of data that is made of
	// whole records, line ends included; 0 where the first record is not whole.
	// It is called in the order of the stream, data beginning at a record.
	Cut(data []byte) int
	// Frame appends a record to b.Recs for each one in b.Data, which holds
	// whole records (the last may lack its line end), and numbers their lines
	// from b.Line. It may be called by several goroutines, each with its own b.
	Frame(b *record.Batch)
}

// A Renewer is a Framer of a format whose header may come again within a stream,
// and change.
type Renewer interface {
	// Renew returns the header of the records that data begins with, which header
	// was before: data may begin with a new one. They reach to data[n:], where the
	// next header begins.
	Renew(header string, data []byte) (renewed string, n int)
}

// A Parser finds fields. It learns from what it sees and belongs to one
// goroutine; its results do not depend on what it has learned.
type Parser interface {
	// Parse frames b where that is still to be done, fills the columns of the
	// plan and the event times, and marks as Bad what does not parse.
	Parse(b *record.Batch)
}

// A lineParser finds the fields of one record of one format. s is the text to
// look at, within or, where it had to be unwrapped, behind the record's value.
// It returns why the record is bad, or "".
type lineParser interface {
	parse(b *record.Batch, row int, s record.Span) (reason string)
}
