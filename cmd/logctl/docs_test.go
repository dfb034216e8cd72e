package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReadme runs every "$ command" of the README's console blocks and
// compares what it prints. TestMain puts this test's binary into PATH as logctl.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	config := t.TempDir()
	found := 0
	for _, m := range regexp.MustCompile("(?ms)^```console\n(.*?)^```").FindAllSubmatch(text, -1) {
		for _, c := range strings.Split("\n"+string(m[1]), "\n$ ")[1:] {
			line, want, _ := strings.Cut(c, "\n")
			found++
			t.Run(line, func(t *testing.T) {
				cmd := exec.Command("bash", "-o", "pipefail", "-c", line)
				cmd.Dir = "../.."
				cmd.Env = append(os.Environ(), "LOGCTL_QUIET=true", "XDG_CONFIG_HOME="+config)
				got, err := cmd.CombinedOutput()
				if err != nil || strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(want, "\n") {
					t.Errorf("%v\ngot:\n%swant:\n%s", err, got, want)
				}
			})
		}
	}
	if found == 0 {
		t.Error("the README shows no command")
	}
}

// foreign are the flags in the documents that are not logctl's.
var foreign = map[string]string{
	"sise":        "a mistake that the README shows",
	"rotate":      "GUIDE's --rotate-… for both",
	"data-binary": "curl's",
	"unbuffered":  "jq's",
	"time-format": "dmesg's",
}

// TestDocsNameFlagsThatThereAre: a flag that was renamed is renamed in the documents, too.
func TestDocsNameFlagsThatThereAre(t *testing.T) {
	known := map[string]bool{}
	walk(newRoot(), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	})
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	flag, found := regexp.MustCompile(`(?:^|[^\w-])--([a-z]+(?:-[a-z]+)*)`), 0
	for _, path := range append(files, "../../README.md", "../../SECURITY.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range flag.FindAllStringSubmatch(string(text), -1) {
			found++
			if !known[m[1]] && foreign[m[1]] == "" {
				t.Errorf("%s: there is no --%s", filepath.Base(path), m[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("%d flags found", found)
	}
}

// TestGenerated checks that the files made of the command tree are current.
// Run it with -update to write them.
func TestGenerated(t *testing.T) {
	root := newRoot()
	for path, write := range map[string]func(io.Writer) error{
		"logctl.bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"_logctl":     root.GenZshCompletion,
		"logctl.fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"logctl.ps1":  root.GenPowerShellCompletionWithDesc,
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		checkGenerated(t, "../../completions/"+path, b.String())
	}
	walk(root, func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		checkGenerated(t, "../../docs/man/"+name+".1", manPage(c))
	})
}

func checkGenerated(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("%s is stale: make completions man", path)
	}
}

// walk calls f for each command that can be run.
func walk(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		if c.Name() != "help" && c.Name() != "completion" {
			walk(c, f)
		}
	}
}

// differs names the flags that may say different things in different places.
var differs = map[string]string{
	"output":          "topics have fewer forms than records",
	"max-memory":      "of state for window and sessionize, which goes to disk; of all for consume",
	"brokers":         "how many the broker runs, addresses elsewhere",
	"partitions":      "of new topics for the broker, of one topic for topic",
	"from":            "one place with dead letters for dlq, any number of inputs elsewhere",
	"to":              "the place of a group for group reset, an output elsewhere, one for dlq",
	"limit":           "letters or sessions of a page, records elsewhere",
	"page":            "of a list for questions, of a site for sessionize",
	"rate":            "dlq replay has no ramps",
	"breaker":         "what counts as a failure is the command's",
	"every":           "what is repeated is the command's",
	"key":             "of a record for produce, of a session for sessionize",
	"gap":             "sessionize has a default, window has other kinds",
	"agg":             "window counts by default",
	"emit":            "windows are final, sessions closed",
	"retention":       "of rows, or of sessions",
	"since":           "an age of letters, a time of windows",
	"stop":            "consume reconcile compares up to the end",
	"auth-token-file": "servers ask for it, questions show it",
}

// TestOneFlagMeansOneThing checks that a flag has one type, letter, default and
// meaning wherever it stands.
func TestOneFlagMeansOneThing(t *testing.T) {
	seen := map[string]*pflag.Flag{}
	where := map[string]string{}
	walk(newRoot(), func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s says nothing", c.CommandPath(), f.Name)
			}
			old := seen[f.Name]
			if old == nil {
				seen[f.Name], where[f.Name] = f, c.CommandPath()
				return
			}
			same := old.Value.Type() == f.Value.Type() && old.Shorthand == f.Shorthand &&
				old.DefValue == f.DefValue && old.Usage == f.Usage
			if !same && differs[f.Name] == "" {
				t.Errorf("--%s differs between %s and %s", f.Name, where[f.Name], c.CommandPath())
			}
		})
	})
}

// TestHelpFits checks that no line of any help is wider than a terminal.
func TestHelpFits(t *testing.T) {
	walk(newRoot(), func(c *cobra.Command) {
		for line := range strings.Lines(c.Long + "\n" + c.UsageString()) {
			if n := utf8.RuneCountInString(line) - 1; n > helpWidth {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
	})
}
