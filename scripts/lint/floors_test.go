// Package lint checks the rules that a linter cannot: who may import whom, and
// who may know the time.
package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/logctl/logctl/"

// floors lists the packages from the ground up. A package may import only
// packages of lower floors; neighbours do not know each other.
var floors = [][]string{
	{"pkg/record", "pkg/human", "pkg/fault", "pkg/wire"},
	{"pkg/stamp", "pkg/limit"}, // the mezzanine of floor 0: they read durations as pkg/human does
	{"pkg/codec", "pkg/expr", "pkg/sketch", "pkg/stream", "pkg/letter"},
	// The mezzanine of floor 1, for all operators: keys and aggregates of groups; many conditions matched at once;
	// changes of records.
	{"pkg/aggregate", "pkg/table", "pkg/rules", "pkg/transform", "pkg/retry", "pkg/priority", "pkg/listing", "pkg/proof"},
	{"pkg/sigma"}, // conditions in another language, read as files of rules are
	{
		"pkg/shuffle", "pkg/window", "pkg/generate", "pkg/route", "pkg/session", "pkg/dlq", "pkg/hot",
	},
	{
		"pkg/stdio", "pkg/kafka", "pkg/broker", "pkg/store", "pkg/postgres", "pkg/httpapi", "pkg/term", "pkg/load",
		"pkg/host", "pkg/member", "pkg/spool", "pkg/exec",
	},
	{"pkg/engine", "pkg/guard", "pkg/peers"},
	{"pkg/fleet"}, // questions to the engines of many instances
	{"pkg/api"},   // what is asked of windows and sessions
	{"cmd/logctl"},
}

// doorFloor is the first floor that may touch the world.
var doorFloor = floorOf("pkg/stdio")

// helpers is imported by tests alone, and may touch what they may.
const helpers = "pkg/proof"

// doors names the only packages that may import what lies outside.
var doors = map[string][]string{
	"github.com/spf13": {"cmd/logctl"},
	"github.com/twmb":  {"pkg/kafka", "pkg/broker"},
	"modernc.org":      {"pkg/store"},
	"github.com/jackc": {"pkg/postgres"},
	"net/http":         {"pkg/httpapi"},
	"os/exec":          {"pkg/exec"},
}

// world is what the floors below the doors may not import, net including all
// below it.
var world = []string{"os", "net", "syscall", "log"}

// clocks are the functions of package time that read the clock or wait for it.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep"}

func TestFloors(t *testing.T) {
	faults, files := check(t, os.DirFS("../.."))
	for _, f := range faults {
		t.Error(f)
	}
	if files < 20 {
		t.Errorf("only %d files were found", files)
	}
}

// TestFloorsReport breaks each rule once.
func TestFloorsReport(t *testing.T) {
	for name, c := range map[string]struct{ file, source, want string }{
		"upwards": {
			"pkg/record/a.go", `import "github.com/logctl/logctl/pkg/codec"`,
			"pkg/record/a.go:2: imports pkg/codec, which is not below it",
		},
		"neighbour": {
			"pkg/kafka/a.go", `import "github.com/logctl/logctl/pkg/store"`,
			"pkg/kafka/a.go:2: imports pkg/store, which is not below it",
		},
		"no floor":      {"pkg/util/a.go", ``, "pkg/util/a.go: stands on no floor"},
		"no floor dep":  {"pkg/kafka/a.go", `import "github.com/logctl/logctl/pkg/util"`, "pkg/util stands on no floor"},
		"door":          {"pkg/stdio/a.go", `import "github.com/twmb/franz-go/pkg/kgo"`, "only [pkg/kafka pkg/broker] may"},
		"own door":      {"pkg/kafka/a.go", `import "github.com/twmb/franz-go/pkg/kgo"`, ""},
		"like a door":   {"pkg/stdio/a.go", `import "github.com/twmbx/y"`, ""},
		"http":          {"cmd/logctl/a.go", `import "net/http"`, "only [pkg/httpapi] may"},
		"os":            {"pkg/window/a.go", `import "os"`, "imports os; below the doors there is no world"},
		"os/exec":       {"pkg/window/a.go", `import "os/exec"`, "imports os/exec"},
		"net":           {"pkg/expr/a.go", `import "net/netip"`, ""},
		"os above":      {"pkg/stdio/a.go", `import "os"`, ""},
		"clock":         {"pkg/window/a.go", "import \"time\"\nvar x = time.Now()", "pkg/window/a.go:3: calls time.Now"},
		"renamed clock": {"pkg/expr/a.go", "import t \"time\"\nvar x = t.Since", "pkg/expr/a.go:3: calls time.Since"},
		"no clock":      {"pkg/expr/a.go", "import \"time\"\nvar x = time.Unix(0, 0)", ""},
		"clock above":   {"pkg/engine/a.go", "import \"time\"\nvar x = time.Now()", ""},
		"dot import":    {"pkg/expr/a.go", `import . "time"`, "imports time without a name"},
		"helpers":       {"pkg/kafka/a.go", `import "github.com/logctl/logctl/pkg/proof"`, "which is for tests"},
		"of helpers":    {"pkg/proof/a.go", `import "os/exec"`, ""},
		"in a test":     {"pkg/record/a_test.go", `import "os"`, ""},
		"broken":        {"pkg/record/a.go", `import`, "pkg/record/a.go:"},
	} {
		tree := fstest.MapFS{
			c.file:             {Data: []byte("package p\n" + c.source + "\n")},
			"cmd/logctl/m.go":  {Data: []byte("package p\n")},
			"pkg/record/ok.go": {Data: []byte("package p\n")},
		}
		faults, _ := check(t, tree)
		got := strings.Join(faults, "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: reported %q, want %q", name, got, c.want)
		}
	}
}

// check returns what breaks the rules in the tree's cmd and pkg, and how many
// files it looked at. It opens the files itself, so that the test cache knows
// when they change.
func check(t *testing.T, tree fs.FS) (faults []string, files int) {
	t.Helper()
	for _, dir := range []string{"cmd", "pkg"} {
		err := fs.WalkDir(tree, dir, func(file string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			source, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			files++
			faults = append(faults, checkFile(file, source)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return faults, files
}

func checkFile(name string, source []byte) []string {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	pkg := path.Dir(name)
	floor := floorOf(pkg)
	if floor < 0 {
		return []string{name + ": stands on no floor; add it to floors"}
	}
	var faults []string
	report := func(pos token.Pos, text string) {
		faults = append(faults, fmt.Sprintf("%s:%d: %s", name, set.Position(pos).Line, text))
	}
	for _, spec := range parsed.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if text := checkImport(pkg, floor, imported); text != "" {
			report(spec.Pos(), text)
		}
		if imported == "time" && floor < doorFloor {
			checkClock(parsed, spec, report)
		}
	}
	return faults
}

func checkImport(pkg string, floor int, imported string) string {
	if dep, ok := strings.CutPrefix(imported, module); ok {
		switch below := floorOf(dep); {
		case below < 0:
			return "imports " + dep + ", and " + dep + " stands on no floor"
		case below >= floor:
			return "imports " + dep + ", which is not below it"
		case dep == helpers:
			return "imports " + dep + ", which is for tests"
		}
	}
	if pkg == helpers {
		return ""
	}
	for door, allowed := range doors {
		if within(imported, door) && !slices.Contains(allowed, pkg) {
			return fmt.Sprintf("imports %s; only %v may", imported, allowed)
		}
	}
	if floor < doorFloor && imported != "net/netip" && slices.ContainsFunc(world, func(w string) bool {
		return within(imported, w)
	}) {
		return fmt.Sprintf("imports %s; below the doors there is no world", imported)
	}
	return ""
}

// checkClock reports the uses of the clock in a file that imports time.
func checkClock(file *ast.File, spec *ast.ImportSpec, report func(token.Pos, string)) {
	name := "time"
	if spec.Name != nil {
		name = spec.Name.Name
	}
	if name == "." {
		report(spec.Pos(), "imports time without a name")
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == name && slices.Contains(clocks, sel.Sel.Name) {
			report(sel.Pos(), "calls time."+sel.Sel.Name+"; the caller has the time")
		}
		return true
	})
}

func floorOf(pkg string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, pkg) })
}

func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}
