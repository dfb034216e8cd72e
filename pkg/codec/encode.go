package codec

import (
	"iter"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// An Encoder writes records as people or programs want to read them. It
// belongs to one goroutine.
type Encoder interface {
	// Append appends the live ones of rows to dst and returns it.
	Append(dst []byte, rows record.Rows) []byte
}

// A FinishingEncoder is an Encoder that may hold records back, or has
// something to write even where there was no record.
type FinishingEncoder interface {
	Encoder
	// Settle appends what is held back. It is for when the input falls silent.
	Settle(dst []byte) []byte
	// Finish is called once, at the end, and appends what is still to come.
	Finish(dst []byte) []byte
}

// A NotingEncoder is an Encoder that cannot always write all there is.
type NotingEncoder interface {
	Encoder
	// Note returns what a person should know of it at the end, or "".
	Note() string
}

// EncodeOptions say how records are written.
type EncodeOptions struct {
	Columns  []string // csv, tsv, table: paths of the fields; by default the keys of the first record
	Width    int      // table: the width of the terminal, to which lines are cut; 0 for no end
	Template string   // template: see template.go
}

// Encodings are the names that NewEncoder takes.
var Encodings = []string{"json", "csv", "tsv", "table", "envelope", "template"}

// NewEncoder returns the encoder with the given name: json (records as they
// are, a line each), csv, tsv and table (the members of records that are JSON
// objects), envelope, or template. Other names and a template that is none are
// wrong usage.
func NewEncoder(name string, opt EncodeOptions) (Encoder, error) {
	switch name {
	case "json":
		return rawEncoder{}, nil
	case "csv":
		return &listEncoder{cells: newCells(opt.Columns), separator: ',', field: appendCSVField}, nil
	case "tsv":
		return &listEncoder{cells: newCells(opt.Columns), separator: '\t', field: appendTSVField}, nil
	case "table":
		return &tableEncoder{cells: newCells(opt.Columns), width: opt.Width}, nil
	case "envelope":
		return envelopeEncoder{}, nil
	case "template":
		return newTemplate(opt.Template)
	}
	hint := fault.DidYouMean(name, Encodings)
	if hint == "" {
		hint = "one of json, csv, tsv, table"
	}
	return nil, fault.Usagef(hint, "unknown output format %q", name)
}

// rawEncoder writes records as they are, a line each. A tombstone is an empty
// line; only an envelope can tell it from an empty record.
type rawEncoder struct{}

func (rawEncoder) Append(dst []byte, rows record.Rows) []byte {
	for run := range Runs(rows) {
		dst = append(dst, run...)
	}
	return dst
}

// Runs returns the live ones of rows, each with a newline behind it, as slices
// of their arena, as few as there can be: a sink writes them without copying.
// They are valid as long as the batch is.
func Runs(rows record.Rows) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		data := rows.Data
		for i := rows.Lo; i < rows.Hi; {
			if !rows.Recs[i].Live() {
				i++
				continue
			}
			start, end := rows.Recs[i].Value.Off, rows.Recs[i].Value.End()
			for i++; i < rows.Hi; i++ {
				next := &rows.Recs[i]
				if !next.Live() || next.Value.Off != end+1 || data[end] != '\n' {
					break
				}
				end = next.Value.End()
			}
			ended := int(end) < len(data) && data[end] == '\n'
			if ended {
				end++
			}
			if !yield(data[start:end:end]) || !ended && !yield(newline) {
				return
			}
		}
	}
}
