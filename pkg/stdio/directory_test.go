package stdio

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// However fast files come, go and are renamed, what is remembered of their directory is
// what is in it.
func TestDirectoriesAreWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(3, 3))
	var d directories
	some := func() string { return filepath.Join(dir, fmt.Sprintf("app%d.log", rnd.IntN(20))) }
	for range 1000 {
		switch path := some(); rnd.IntN(4) {
		case 0:
			_ = os.Remove(path) // it may not be there
		case 1:
			_ = os.Rename(path, some()) // likewise
		case 2:
			fill(t, path, "")
		}
		prefix := filepath.Join(dir, "app1")
		var want []string
		for _, path := range pathsIn(dir) {
			if strings.HasPrefix(path, prefix) {
				want = append(want, path)
			}
		}
		if got, _ := d.begin(prefix); !slices.Equal(got, want) {
			t.Fatalf("remembered %q, there are %q", got, want)
		}
	}
}

// A directory that has not changed is not listed again, for thousands of files would do
// so each.
func TestDirectoriesAreListedOnce(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-time.Hour)
	change := func(name string, at time.Time) {
		fill(t, filepath.Join(dir, name), "")
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var d directories
	for i, c := range []struct {
		name string
		at   time.Time
		want int
	}{{"f1", long, 1}, {"f2", long, 1}, {"f3", long.Add(time.Minute), 3}} {
		change(c.name, c.at)
		if got, _ := d.begin(filepath.Join(dir, "f")); len(got) != c.want {
			t.Errorf("%d: %d files, want %d", i, len(got), c.want)
		}
	}
}

// A directory that was changed just before it was listed, or that is another one at the
// same path, is listed again though its time and size say nothing.
func TestDirectoriesThatLookAlike(t *testing.T) {
	root := t.TempDir()
	path, other := filepath.Join(root, "logs"), filepath.Join(root, "other")
	stamp := func(dir string, at time.Time) {
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{path, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var d directories
	lists := func(want int) {
		t.Helper()
		if got, _ := d.begin(filepath.Join(path, "f")); len(got) != want {
			t.Errorf("%d files, want %d", len(got), want)
		}
	}
	soon, long := time.Now().Add(time.Hour), time.Now().Add(-time.Hour) // this test may take its time
	fill(t, filepath.Join(path, "f1"), "")
	stamp(path, soon)
	lists(1)
	fill(t, filepath.Join(path, "f2"), "")
	stamp(path, soon)
	lists(2)
	stamp(path, long)
	lists(2)
	fill(t, filepath.Join(other, "f1"), "")
	stamp(other, long)
	if err := os.Rename(path, filepath.Join(root, "gone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	lists(1)
}

// TestRotatedNames: a log goes by these names when it is rotated, and not by others that
// are like its own.
func TestRotatedNames(t *testing.T) {
	for path, want := range map[string]bool{
		"app.log.1": true, "app.log.12": true, "app.log-20261127": true, "app.log-2026-11-27T10:00:00Z": true,
		"app.log.1795826673": true, "app.1.log": true, "app-20261127.log": true, "app.2026-11-27.log": true,
		"app-20261127-1795826673.log": true, "app-1795826673.log": true,
		"app.log": false, "app-2.log": false, "app2.log": false, "app.log.1.gz": false, "app.log.bak": false,
		"application.log": false, "app.1.txt": false, "app.error.log": false, "other.1.log": false, "app..log": false,
	} {
		if got := isRotated("/var/log/"+path, "/var/log/app.log"); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]bool{"app.1": true, "app-20261127": true, "app1app": false} {
		if got := isRotated(path, "app"); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
