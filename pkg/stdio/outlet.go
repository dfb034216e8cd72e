package stdio

import (
	"errors"
	"io"
)

// ErrStill is the error of an Outlet that was given up while its reader stood still.
var ErrStill = errors.New("its reader takes nothing")

// ErrLate is the error of an Outlet that is given something when nobody waits any more.
var ErrLate = errors.New("it came too late to be written")

// An Outlet writes to a pipe or a terminal, whose reader may stand still for any time: no
// write to one can be broken off, so it is made by another goroutine and left to it. It is
// for one goroutine, and lasts as long as the process.
type Outlet struct {
	over   <-chan struct{}
	pieces chan []byte
	done   chan written
}

// written is how a write went.
type written struct {
	n   int
	err error
}

// NewOutlet returns a writer to out that waits for nobody once over is closed. Then what it
// was given last is still in use.
func NewOutlet(out io.Writer, over <-chan struct{}) *Outlet {
	o := &Outlet{over: over, pieces: make(chan []byte), done: make(chan written, 1)}
	go func() {
		for p := range o.pieces {
			n, err := out.Write(p)
			o.done <- written{n, err}
		}
	}()
	return o
}

// Write writes p, or returns ErrStill or ErrLate.
func (o *Outlet) Write(p []byte) (int, error) {
	select {
	case <-o.over:
		return 0, ErrLate
	default:
		o.pieces <- p // what was given before is written
	}
	select {
	case <-o.over:
		return 0, ErrStill
	case w := <-o.done:
		return w.n, w.err
	}
}
