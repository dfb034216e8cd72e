package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
)

// A failure is that the broker could not write something: kfake goes on then, and
// acknowledges what will not be there after a restart.
type failure struct {
	once     sync.Once
	happened chan struct{} // closed behind err
	err      error
}

func newFailure() *failure { return &failure{happened: make(chan struct{})} }

// fail has the broker fail for a reason, unless it has failed before.
func (f *failure) fail(reason string) {
	f.once.Do(func() {
		f.err = fault.Hint(errors.New(reason), "make room and start it again: what it has acknowledged is there")
		close(f.happened)
	})
}

// within does something that may wait for ever where the broker fails, and returns the
// error of that.
func (f *failure) within(do func()) error {
	done := make(chan struct{})
	go func() { do(); close(done) }()
	select {
	case <-done:
	case <-f.happened:
	}
	select {
	case <-f.happened:
		return f.err
	default:
		return nil
	}
}

// Failed is closed when the broker has failed: nobody is answered any more, and Close
// says why.
func (b *Broker) Failed() <-chan struct{} { return b.failure.happened }

// logger passes kfake's warnings on, and hears of it there when something could not be
// written. The goroutine that would go on to acknowledge that does not return.
type logger struct {
	log     *slog.Logger
	failure *failure
}

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if level != kfake.LogLevelError && level != kfake.LogLevelWarn {
		return // every request is a line
	}
	text := fmt.Sprintf(format, args...)
	if what, lost := strings.CutPrefix(text, "persist "); lost {
		l.failure.fail("writing the broker's data: " + what)
		if level == kfake.LogLevelWarn { // else it is the end anyway
			select {}
		}
		return
	}
	switch level {
	case kfake.LogLevelError:
		l.log.Error(text)
	case kfake.LogLevelWarn:
		l.log.Warn(text)
	}
}
