package stdio

import (
	"os"
	"path/filepath"
	"testing"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCutBeforeItWasRead: a file that is opened and copied and cut before anything was
// read of it is left to its copy first.
func TestCutBeforeItWasRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	put(t, path, "one\n")
	put(t, path+".9", "older\n")
	s := newSource(path, newCommon(Options{Follow: true}))
	s.heirs = &succession{path: path, dirs: &s.opt.dirs}
	in, err := s.openFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	in.ctx = t.Context()
	overtaken := func(want bool, when string) {
		t.Helper()
		if got := in.tail.overtaken(in); got != want {
			t.Fatalf("%s: overtaken %v, want %v", when, got, want)
		}
	}
	overtaken(false, "nothing has happened")
	put(t, path+".1", "")
	overtaken(false, "a copy is begun")
	put(t, path+".1", "on")
	overtaken(false, "a copy is being made")
	put(t, path+".1", "one\n")
	overtaken(false, "a copy is made")
	put(t, path, "")
	overtaken(true, "the file is cut")
	put(t, path, "two\n")
	overtaken(true, "the file is written to")
	if n, err := in.Read(make([]byte, 9)); n > 0 || err == nil {
		t.Errorf("%d bytes were read before those of the copy: %v", n, err)
	}
	if next := s.heirs.next(); next != path+".1" {
		t.Errorf("%s is opened next, want the copy", next)
	}
}

// TestKnownWhileItIsRenamed: a file that was not seen while it was renamed is not a new
// one when it is seen again.
func TestKnownWhileItIsRenamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	put(t, path+".1", "old\n")
	c := succession{path: path, dirs: new(directories)}
	for range mostGone + 9 {
		for _, step := range [][2]string{{".1", ".moving"}, {".moving", ".2"}, {".2", ".1"}} {
			if next := c.next(); next != path {
				t.Fatalf("%s is opened before %s", next, step)
			}
			if err := os.Rename(path+step[0], path+step[1]); err != nil {
				t.Fatal(err)
			}
		}
		put(t, path+".3", "another\n")
		if next := c.next(); next != path+".3" {
			t.Fatalf("%s is opened", next)
		}
		f := list([]string{path + ".3"})
		c.add(f[0].id)
		if err := os.Remove(path + ".3"); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.known) > mostGone+2 {
		t.Errorf("%d files are known", len(c.known))
	}
}
