package lint

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile("`([a-z0-9/_]+(?:\\.go)?)`")

// TestArchitecture keeps docs/ARCHITECTURE.md true: the table of floors has every
// package, and every file that is named exists. A file that is named without its
// directory is a neighbour of the one before it.
func TestArchitecture(t *testing.T) {
	source, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	table, _, _ := strings.Cut(text, "\n## ")
	packages, err := os.ReadDir("../../pkg")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if !strings.Contains(table, "`"+p.Name()+"`") {
			t.Errorf("the table of floors lacks pkg/%s", p.Name())
		}
	}
	dir := ""
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		name := m[1]
		switch first, _, sub := strings.Cut(name, "/"); {
		case first == "pkg", first == "cmd", first == "scripts":
		case !strings.HasSuffix(name, ".go"):
			continue // not a file
		case sub:
			name = "pkg/" + name
		default:
			name = dir + "/" + name
		}
		if _, err := os.Stat("../../" + name); err != nil {
			t.Errorf("%s does not exist", name)
		}
		if dir = name; strings.HasSuffix(name, ".go") {
			dir = path.Dir(name)
		}
	}
}
