package stdio_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/logctl/logctl/pkg/stdio"
)

// TestOutlet: a reader that stands still is left when the time is over, and what comes
// after that is not said to be its fault.
func TestOutlet(t *testing.T) {
	over := make(chan struct{})
	var out bytes.Buffer
	o := stdio.NewOutlet(&out, over)
	for range 2 {
		if n, err := o.Write([]byte("ab")); n != 2 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	r, w := io.Pipe() // of whom nobody reads
	defer r.Close()
	still := stdio.NewOutlet(w, over)
	stood := make(chan error, 1)
	go func() {
		_, err := still.Write([]byte("c"))
		stood <- err
	}()
	if _, err := r.Read(make([]byte, 0)); err != nil { // it is written to now
		t.Fatal(err)
	}
	close(over)
	if err := <-stood; !errors.Is(err, stdio.ErrStill) {
		t.Errorf("who stands still: %v", err)
	}
	if _, err := o.Write([]byte("d")); !errors.Is(err, stdio.ErrLate) {
		t.Errorf("what came late: %v", err)
	}
	if out.String() != "abab" {
		t.Errorf("wrote %q", out.String())
	}
}
