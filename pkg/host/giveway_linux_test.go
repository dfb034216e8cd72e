package host

import (
	"syscall"
	"testing"
)

// TestGiveWay has one goroutine give way: its thread alone is nicer then.
func TestGiveWay(t *testing.T) {
	nice := func() int {
		left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		if err != nil {
			t.Error(err)
		}
		return 20 - left
	}
	before := nice()
	said, ended := make(chan int), make(chan struct{})
	go func() {
		GiveWay()
		said <- nice()
		<-ended
	}()
	if got, want := <-said, min(before+nicer, 19); got != want {
		t.Errorf("a goroutine that gives way has nice value %d, want %d", got, want)
	}
	for range 50 { // each on whichever thread there is, but never on that one
		go func() { said <- nice() }()
		if got := <-said; got != before {
			t.Errorf("another goroutine has nice value %d, want %d", got, before)
		}
	}
	close(ended)
}
