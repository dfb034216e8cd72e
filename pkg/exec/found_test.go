package exec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
)

// TestFind: a program that is not there is told before there are records for it, and
// nothing that a shell would run is.
func TestFind(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, missing := range []string{"no-such-handler", "no-such-handler --fast", "/no/such", script} {
		if err := exec.Find(missing); err == nil || !strings.Contains(err.Error(), strings.Fields(missing)[0]) {
			t.Errorf("%q: %v", missing, err)
		}
	}
	if err := os.Chmod(script, 0o700); err != nil { // it is run
		t.Fatal(err)
	}
	there := []string{
		"cat", "cat -u", script, "cd / && cat", "exec cat", "while read x; do echo $x; done", "X=1 no-such-handler",
		"{ cat; }", "(no-such-handler)", `"no such"`, "$HANDLER", "",
	}
	for _, command := range there {
		if err := exec.Find(command); err != nil {
			t.Errorf("%q: %v", command, err)
		}
	}
}
