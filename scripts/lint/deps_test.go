package lint

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDependencies: docs/dependencies.md has a line for each direct dependency
// of go.mod.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllSubmatch(mod, -1)
	if len(direct) == 0 {
		t.Fatal("go.mod has no dependencies that this test can read")
	}
	for _, m := range direct {
		name := "| " + string(m[1]) + " "
		if !strings.Contains(string(doc), name) {
			t.Errorf("docs/dependencies.md does not say why %s is there", m[1])
		}
	}
}
