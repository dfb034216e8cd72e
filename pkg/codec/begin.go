package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
)

// Enough reports whether the first bytes of a partition, which hold a line, are
// enough for Begin: not where a header goes on behind them, nor where all that
// they hold may be a header and the next line will tell.
func (d *Decoder) Enough(sample []byte) bool {
	sample = bytes.TrimPrefix(sample, []byte("\uFEFF"))
	auto := d.opt.Format == ""
	if (auto && d.start == nil || d.opt.Format == "json") && !d.opt.Envelope {
		if _, sure := documentIn(sample); !sure {
			return false
		}
	}
	if d.opt.Envelope || !auto && !hasHeader(d.opt.Format) {
		return true
	}
	if hasHashHeader(d.opt.Format) || auto && isDirective(sample) {
		return hashHeaderEnd(sample)+1 < len(sample)
	}
	if !auto {
		return headerEnd(d.opt.Format, sample) < len(sample)
	}
	line, rest, _ := bytes.Cut(sample, newline)
	if bytes.IndexByte(rest, '\n') >= 0 || d.start != nil {
		return true
	}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	for _, separator := range []byte{',', '\t', ';'} {
		if isHeaderLine(line, separator) {
			return false
		}
	}
	return true
}

// isDirective reports whether a line may begin the header of a format whose header is
// made of lines that begin with #.
func isDirective(line []byte) bool {
	return len(line) > 1 && line[0] == '#' && line[1]|0x20-'a' < 26
}

// Begin looks at the first bytes of a partition (a few lines, up to 64 KiB; of
// a topic its first values, a line each) and sets the Format of o, unless one
// was given, and its Header, where the format has one. It returns how many of
// the bytes are no records: a byte order mark, a header line.
//
// In a topic and within envelopes there is no header line: there CSV and TSV
// are not looked for, and have to be given with the names of their columns.
func (d *Decoder) Begin(sample []byte, o *record.Origin) (skip int) {
	if !o.Topic {
		skip = len(sample) - len(bytes.TrimPrefix(sample, []byte("\uFEFF")))
	}
	sample = sample[skip:]
	o.Format = d.opt.Format
	inside := o.Topic || d.opt.Envelope
	name, given := splitFormat(o.Format)
	switch {
	case o.Format == "":
		o.Format = d.detect(sample, inside)
	case o.Format == "json" && inside:
		o.Format = "ndjson" // each value is a record already
	case (name == "docker" || name == "cri") && given == "":
		o.Format = name + ":" + detectWithin(name, splitSample(sample))
	}
	if o.Format == "json" {
		o.Header = holderOf(sample)
	}
	if inside || !hasHeader(o.Format) {
		return skip
	}
	end := headerEnd(o.Format, sample)
	o.Header = string(bytes.TrimSuffix(sample[:end], []byte{'\r'}))
	return skip + min(end+1, len(sample))
}

// headerEnd returns where the header of a format that has one ends.
func headerEnd(format string, sample []byte) int {
	switch format {
	case "csv":
		return csvEnd(sample, 0, ',')
	case "ssv":
		return csvEnd(sample, 0, ';')
	case "zeek", "w3c":
		return hashHeaderEnd(sample)
	default:
		return lineEnd(sample, 0)
	}
}

func (d *Decoder) detect(sample []byte, inside bool) string {
	if ok, _ := documentIn(sample); ok && !inside && d.start == nil {
		return "json"
	}
	lines := splitSample(sample)
	if d.opt.Envelope {
		lines = openEnvelopes(lines)
	}
	return detect(lines, inside || d.start != nil)
}
