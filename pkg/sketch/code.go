package sketch

import (
	"fmt"

	"github.com/logctl/logctl/pkg/wire"
)

// A reader takes an encoded sketch apart.
type reader struct {
	wire.Reader
	what  string
	wrong error // that it is another version
}

// newReader begins with the version byte.
func newReader(src []byte, what string, version byte) reader { //nolint:unparam // each sketch has its own
	r := reader{Reader: wire.Read(src), what: what}
	if got := r.Byte(); !r.Failed() && got != version {
		r.wrong = fmt.Errorf("decoding %s: version %d, want %d", what, got, version)
		r.Check(false)
	}
	return r
}

// end returns what is left, or the error.
func (r *reader) end() ([]byte, error) {
	if r.wrong == nil && r.Failed() {
		r.wrong = fmt.Errorf("decoding %s: not what was encoded", r.what)
	}
	return r.Rest(), r.wrong
}
