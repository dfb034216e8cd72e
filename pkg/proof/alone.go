package proof

import (
	"os"
	"os/exec"
	"testing"
)

// Alone runs a test again in a process of its own, where it returns true: one that sets
// the limits of its process, which also hold for what the testing package writes.
func Alone(t *testing.T) bool {
	t.Helper()
	const name = "TEST_ALONE"
	if os.Getenv(name) == t.Name() {
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$") //nolint:gosec // the test itself
	child.Env = append(os.Environ(), name+"="+t.Name())
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}
