package httpapi

import (
	"bytes"
	"log"
	"testing"
)

// Callers cannot fill the log; what is wrong with the server itself is there.
func TestFaults(t *testing.T) {
	var out bytes.Buffer
	was := log.Writer()
	log.SetOutput(&out)
	defer log.SetOutput(was)
	l := log.New(faults{}, "logctl: ", 0)
	l.Print("http: TLS handshake error from 10.0.0.1:5: EOF")
	l.Print("http: panic serving 10.0.0.1:5: x")
	if got, want := out.String(), "logctl: http: panic serving 10.0.0.1:5: x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
