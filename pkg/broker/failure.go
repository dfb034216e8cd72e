package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/fault"
)

// A failure is that the broker could not write something, or that its data is gone: kfake
// goes on then, and acknowledges what will not be there after a restart.
type failure struct {
	once     sync.Once
	happened chan struct{} // closed behind err
	err      error
}

func newFailure() *failure { return &failure{happened: make(chan struct{})} }

// fail has the broker fail with an error, unless it has failed before.
func (f *failure) fail(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.happened)
	})
}

// within does something, unless the broker has failed. It returns the error of a failure,
// in which what is done may wait for ever.
func (f *failure) within(do func()) error {
	if err := f.get(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { do(); close(done) }()
	select {
	case <-done:
	case <-f.happened:
	}
	return f.get()
}

// get returns the error of a failure, nil where there was none.
func (f *failure) get() error {
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

// present fails the broker where its data was removed or replaced: kfake has the files
// open, and would go on to write where nobody finds it again.
func (b *Broker) present() bool {
	if !b.dir.lost() {
		return true
	}
	err := fmt.Errorf("data directory %q was removed or replaced while the broker was running", b.dir.path)
	b.failure.fail(fault.Hint(err,
		"put the data back before you start it again: without, the broker begins anew"))
	return false
}

// absence looks for the data before anything is acknowledged that is to be kept.
func (b *Broker) absence() kfake.Fault {
	return kfake.Fault{
		Keys:  []kmsg.Key{kmsg.Produce, kmsg.OffsetCommit, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.CreateTopics},
		Count: -1,
		When: func(kmsg.Request) bool {
			if !b.present() {
				select {} // as where something could not be written
			}
			return false
		},
	}
}

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
		mend := "make room"
		if strings.HasSuffix(what, unix.EMFILE.Error()) {
			mend = "allow more open files with `ulimit -n`"
		}
		l.failure.fail(fault.Hint(errors.New("writing the broker's data: "+what),
			mend+" and start it again: what it has acknowledged is there"))
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
