package host

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGiveWay has one goroutine give way: its thread alone is nicer then, and its turns
// are longer where the system says how long they are.
func TestGiveWay(t *testing.T) {
	turn := func() uint64 {
		attr, err := unix.SchedGetAttr(0, 0)
		if err != nil || attr.Policy != unix.SCHED_NORMAL {
			return 0
		}
		return attr.Runtime
	}
	nice := func() int {
		left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		if err != nil {
			t.Error(err)
		}
		return 20 - left
	}
	before := nice()
	turnBefore := turn()
	said, turns, ended := make(chan int), make(chan uint64, 1), make(chan struct{})
	go func() {
		GiveWay()
		turns <- turn()
		said <- nice()
		<-ended
	}()
	if got, want := <-said, min(before+nicer, 19); got != want {
		t.Errorf("a goroutine that gives way has nice value %d, want %d", got, want)
	}
	if got := <-turns; got != turnBefore+turnBefore/2 {
		t.Errorf("its turns last %d ns, before %d", got, turnBefore)
	}
	for range 50 { // each on whichever thread there is, but never on that one
		go func() {
			turns <- turn()
			said <- nice()
		}()
		if got, is := <-said, <-turns; got != before || is != turnBefore {
			t.Errorf("another goroutine has nice value %d and turns of %d ns, want %d and %d", got, is, before, turnBefore)
		}
	}
	close(ended)
}
