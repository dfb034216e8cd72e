package codec

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// tableRows is how many records a table is laid out by.
const tableRows = 1000

// gapWidth is the number of spaces between columns.
const gapWidth = 2

// A tableEncoder writes columns for people: aligned, numbers to the right. It
// holds the first records back until there are tableRows of them, or Settle or
// Finish; from then on the widths are fixed and records are written as they
// come, a longer cell pushing what is behind it. Lines are cut to the width of
// the terminal, with an ellipsis. Control characters, and others that can
// change what a terminal shows, are written as escapes: none reaches it.
//
// Each character counts as one column: wide ones (Chinese) stand out.
type tableEncoder struct {
	cells
	width int

	held   []byte // the text of cells that are held back
	ends   []int  // where each of them ends in held
	widths []int  // of columns; nil until they are fixed
	words  []bool // of columns: one of the cells is no number
	line   []byte
}

func (e *tableEncoder) Append(dst []byte, rows record.Rows) []byte {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		e.read(rows.Batch, i)
		for k, v := range e.values {
			e.line = appendCell(e.line[:0], rows.Batch, v)
			e.held = appendShown(e.held, e.line)
			e.ends = append(e.ends, len(e.held))
			if e.widths == nil {
				e.align(k, v.Kind())
			}
		}
		if e.widths != nil || len(e.ends) >= tableRows*len(e.columns) {
			dst = e.Settle(dst)
		}
	}
	return dst
}

// align notes that column k has a cell of the given kind.
func (e *tableEncoder) align(k int, kind record.Kind) {
	for len(e.words) < len(e.columns) {
		e.words = append(e.words, false)
	}
	e.words[k] = e.words[k] || kind != record.Number && kind != record.Missing
}

// Settle fixes the widths and appends the records that are held back.
func (e *tableEncoder) Settle(dst []byte) []byte {
	if len(e.ends) == 0 {
		return dst
	}
	if e.widths == nil {
		e.fix()
		dst = e.header(dst)
	}
	start := 0
	for i := 0; i < len(e.ends); i += len(e.columns) {
		e.line = e.line[:0]
		for k, end := range e.ends[i : i+len(e.columns)] {
			e.cell(k, e.held[start:end])
			start = end
		}
		dst = e.endLine(dst)
	}
	e.held, e.ends = e.held[:0], e.ends[:0]
	return dst
}

// Finish appends what is held back; where there was no record, the header of
// columns that were given.
func (e *tableEncoder) Finish(dst []byte) []byte {
	if e.widths == nil && len(e.ends) == 0 && e.given {
		e.words = make([]bool, len(e.columns))
		for k := range e.words {
			e.words[k] = true
		}
		e.fix()
		return e.header(dst)
	}
	return e.Settle(dst)
}

// fix fixes the widths of the columns by their names and what is held back.
func (e *tableEncoder) fix() {
	e.widths = make([]int, len(e.columns))
	for k, name := range e.columns {
		e.widths[k] = utf8.RuneCount(appendShown(nil, []byte(name)))
	}
	start := 0
	for i, end := range e.ends {
		k := i % len(e.columns)
		e.widths[k] = max(e.widths[k], utf8.RuneCount(e.held[start:end]))
		start = end
	}
}

func (e *tableEncoder) header(dst []byte) []byte {
	e.line = e.line[:0]
	for k, name := range e.columns {
		e.cell(k, appendShown(nil, []byte(name)))
	}
	return e.endLine(dst)
}

// cell appends a cell to the line, with the space around it.
func (e *tableEncoder) cell(k int, text []byte) {
	if k > 0 {
		e.line = appendSpaces(e.line, gapWidth)
	}
	room := e.widths[k] - utf8.RuneCount(text)
	if !e.words[k] {
		e.line = append(appendSpaces(e.line, room), text...)
		return
	}
	e.line = append(e.line, text...)
	if k < len(e.columns)-1 {
		e.line = appendSpaces(e.line, room)
	}
}

// endLine appends the line to dst, cut to the width of the terminal.
func (e *tableEncoder) endLine(dst []byte) []byte {
	line := bytes.TrimRight(e.line, " ")
	if e.width > 0 && utf8.RuneCount(line) > e.width {
		cut := 0
		for range e.width - 1 {
			_, n := utf8.DecodeRune(line[cut:])
			cut += n
		}
		line = append(line[:cut], "…"...)
	}
	return append(append(dst, line...), '\n')
}

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// appendShown appends text with everything that is not to be shown as an
// escape of Go: control characters, bytes that are not UTF-8, marks that turn
// the direction of writing.
func appendShown(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, `\x`...)
			dst = append(dst, "0123456789abcdef"[text[0]>>4], "0123456789abcdef"[text[0]&15])
		case r == ' ' || unicode.IsGraphic(r):
			dst = append(dst, text[:n]...)
		default:
			quoted := strconv.AppendQuoteRune(nil, r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		text = text[n:]
	}
	return dst
}
