package store_test

import (
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/stream"
)

// TestNoRoomForCopies: copies are for speed; a run does not end for want of room for
// them, and what they took is free again.
func TestNoRoomForCopies(t *testing.T) {
	if !proof.Alone(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "state.db")
	var said []string
	k := openCopiesNoting(t, path, "topic 1", func(s string) { said = append(said, s) })
	loadCopy(t, k, stream.Task{Source: "in"})
	signal.Ignore(syscall.SIGXFSZ)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	for next := range int64(40) {
		var changes stream.Entries
		changes.Append([]byte{byte(next)}, []byte(strings.Repeat("x", 100_000)))
		if err := k.Save(t.Context(), stream.Copy{Task: stream.Task{Source: "in"}, Changes: changes, Next: next + 1}); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "no copy of the state is kept") {
		t.Errorf("said %q, want once that there are no copies", said)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
