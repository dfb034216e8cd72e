package stdio

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// writeSize is how much a Writer gathers before it writes.
const writeSize = 64 << 10

// A Writer is a sink that writes to a file or a pipe: whole records, in pieces
// of 64 KiB and more. It is for one goroutine.
type Writer struct {
	out   io.Writer
	name  string
	enc   codec.Encoder
	lines bool // enc writes records as they stand
	buf   []byte
	last  time.Time // when rows came last
	err   error     // the first failure; nothing is written after it
}

// NewWriter returns a sink that encodes records and writes them to out; without an
// encoder they are written unchanged, one a line. name is for errors, which wrap those
// of out, so that a closed pipe is syscall.EPIPE.
func NewWriter(out io.Writer, name string, enc codec.Encoder) *Writer {
	asLines, _ := codec.NewEncoder("json", codec.EncodeOptions{})
	if enc == nil {
		enc = asLines
	}
	return &Writer{out: out, name: name, enc: enc, lines: enc == asLines}
}

// Write writes rows. Long runs of unchanged records are written from the batch without
// a copy.
func (w *Writer) Write(rows record.Rows) error {
	if !w.lines {
		w.last = time.Now()
		w.buf = w.enc.Append(w.buf, rows)
		return w.pushAt(writeSize)
	}
	for run := range codec.Runs(rows) {
		if len(run) < writeSize {
			w.buf = append(w.buf, run...)
			continue
		}
		if err := w.Push(); err != nil {
			return err
		}
		if err := w.write(run); err != nil {
			return err
		}
	}
	return w.pushAt(writeSize)
}

func (w *Writer) pushAt(size int) error {
	if len(w.buf) < size {
		return w.err
	}
	return w.Push()
}

// silence is how long nothing must have come before an encoder that waits for
// more rows (a table, for its widths) is to wait no longer.
const silence = 200 * time.Millisecond

// Push writes buffered records. Rows that the encoder holds back are written when
// nothing has come for a while.
func (w *Writer) Push() error {
	if f, ok := w.enc.(codec.FinishingEncoder); ok && time.Since(w.last) > silence {
		w.buf = f.Settle(w.buf)
	}
	if len(w.buf) == 0 || w.err != nil {
		return w.err
	}
	err := w.write(w.buf)
	w.buf = w.buf[:0]
	if cap(w.buf) > 16*writeSize {
		w.buf = nil // do not hold the memory of one huge record
	}
	return err
}

// Flush writes buffered records. When it returns, a pipe has accepted them.
func (w *Writer) Flush(context.Context) error { return w.Push() }

// Close writes buffered records and what the encoder holds back, such as the rows of a
// table that needs their widths. It does not close the file or pipe.
func (w *Writer) Close() error {
	if f, ok := w.enc.(codec.FinishingEncoder); ok {
		w.buf = f.Finish(w.buf)
	}
	return w.Push()
}

func (w *Writer) write(p []byte) error {
	if w.err != nil {
		return w.err
	}
	if _, err := w.out.Write(p); err != nil {
		w.err = fmt.Errorf("writing to %q: %w", w.name, fault.Reason(err))
	}
	return w.err
}

// Null is a sink that counts records and drops them, for measurements. Its counters may
// be read at any time.
type Null struct {
	Records atomic.Int64
	Bytes   atomic.Int64 // of the values
}

// Write counts rows.
func (n *Null) Write(rows record.Rows) error {
	var count, size int64
	for i := rows.Lo; i < rows.Hi; i++ {
		if rec := &rows.Recs[i]; rec.Live() {
			count++
			size += int64(rec.Value.Len)
		}
	}
	n.Records.Add(count)
	n.Bytes.Add(size)
	return nil
}
