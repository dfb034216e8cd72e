package term_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/term"
)

func TestLine(t *testing.T) {
	for want, s := range map[string]term.State{
		"1,000 records  2.0 MB  1.0 MB/s":                   {Records: 1000, Bytes: 2_000_000},
		"1,000 records  2.0 MB  1.0 MB/s  25 %  6.0 s left": {Records: 1000, Bytes: 2_000_000, Total: 8_000_000},
		"0 records  0 B  0 B/s":                             {Total: 10},
		"9 records  20 B  10 B/s  100 %  0 s left":          {Records: 9, Bytes: 20, Total: 10},
	} {
		if got := term.Line(s, 2*time.Second); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNothingIsShownOffTerminals(t *testing.T) {
	var w bytes.Buffer
	p := term.StartProgress(&w, false, func() term.State { t.Error("asked for progress"); return term.State{} })
	p.Stop()
	if w.Len() > 0 || term.IsTerminal(&w) || term.Width(&w) != 0 {
		t.Errorf("a buffer is no terminal: %q", w.String())
	}
}
