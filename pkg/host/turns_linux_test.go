package host

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShortTurns: this thread's turns are short then, and those of a thread that it
// starts; nothing else of how they are scheduled changes.
func TestShortTurns(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if before.Runtime == 0 {
		t.Skip("the system knows no turns of a thread's own")
	}
	ShortTurns()
	want := *before
	want.Runtime = uint64(turn)
	look := func(who string) {
		if got, err := unix.SchedGetAttr(0, 0); err != nil || *got != want {
			t.Errorf("%s has %+v (%v), want %+v", who, got, err, want)
		}
	}
	look("this thread")
	done := make(chan struct{})
	go func() { // this one has its thread for itself: the other goroutine cannot have it
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends
		look("another one")
	}()
	<-done
	Yield()
}
