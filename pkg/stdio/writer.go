package stdio

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/codec"
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

// NewWriter returns a sink that encodes records and writes them to out; without
// an encoder they are written as they stand, a line each. name is for errors:
// they wrap what out says, so that a closed pipe is syscall.EPIPE.
func NewWriter(out io.Writer, name string, enc codec.Encoder) *Writer {
	asLines, _ := codec.NewEncoder("json", codec.EncodeOptions{})
	if enc == nil {
		enc = asLines
	}
	return &Writer{out: out, name: name, enc: enc, lines: enc == asLines}
}

// Write takes rows. Long runs of records that are written as they stand go out
// of the batch without being copied.
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

// Push writes what is held. What the encoder holds back it writes when nothing
// has come for a while.
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

// Flush writes what is held: then a pipe has accepted it.
func (w *Writer) Flush(context.Context) error { return w.Push() }

// Close writes what is held, what the encoder held back (a table that waits to
// know its widths) included. It does not close what it writes to.
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
		w.err = fmt.Errorf("writing to %q: %w", w.name, reason(err))
	}
	return w.err
}

// Null is a sink that counts and drops, for measuring. Its counters may be read
// at any time.
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
