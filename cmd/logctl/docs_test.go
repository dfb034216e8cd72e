package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// binary builds logctl for tests that need it as a program of its own.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "logctl")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// TestReadme runs every "$ command" of the README's console blocks and
// compares what it prints on stdout.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(binary(t))
	found := 0
	for _, m := range regexp.MustCompile("(?ms)^```console\n(.*?)^```").FindAllSubmatch(text, -1) {
		for _, c := range strings.Split("\n"+string(m[1]), "\n$ ")[1:] {
			line, want, _ := strings.Cut(c, "\n")
			found++
			t.Run(line, func(t *testing.T) {
				cmd := exec.Command("bash", "-o", "pipefail", "-c", line)
				cmd.Dir = "../.."
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LOGCTL_QUIET=true", "XDG_CONFIG_HOME="+dir)
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

// TestGenerated checks that the files made of the command tree are current.
// Run it with -update to write them.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	root := newRoot()
	root.DisableAutoGenTag = true
	root.Version = ""
	root.InitDefaultCompletionCmd()
	write := map[string]func(string) error{
		"logctl.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_logctl":     root.GenZshCompletionFile,
		"logctl.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"logctl.ps1":  root.GenPowerShellCompletionFileWithDesc,
	}
	for name, to := range write {
		if err := to(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "logctl", Manual: "logctl"}, dir); err != nil {
		t.Fatal(err)
	}
	made, _ := filepath.Glob(dir + "/*")
	if len(made) < len(write)+5 {
		t.Fatalf("only %d files were made", len(made))
	}
	for _, f := range made {
		at := filepath.Join("../../completions", filepath.Base(f))
		if strings.HasSuffix(f, ".1") {
			at = filepath.Join("../../docs/man", filepath.Base(f))
		}
		checkGenerated(t, f, at)
	}
}

func checkGenerated(t *testing.T, made, at string) {
	t.Helper()
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	// A man page's date is that of the day it is made.
	want = regexp.MustCompile(`(?m)^(\.TH "[^"]*" "1" )"[^"]*"`).ReplaceAll(want, []byte(`$1""`))
	if *update {
		if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(at); !bytes.Equal(got, want) {
		t.Errorf("%s is stale: make completions man", at)
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

// TestOneFlagMeansOneThing checks that a flag has one type and one default
// wherever it stands.
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
			if old.Value.Type() != f.Value.Type() || old.Shorthand != f.Shorthand {
				t.Errorf("--%s differs between %s and %s", f.Name, where[f.Name], c.CommandPath())
			}
		})
	})
}

// TestExamplesParse checks that every example of the help is a command line
// that its command takes: known command, known flags.
func TestExamplesParse(t *testing.T) {
	walk(newRoot(), func(c *cobra.Command) {
		if c.Runnable() && c.Example == "" && !c.HasSubCommands() {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Example, "\n") {
			for part := range strings.SplitSeq(line, " | ") {
				i := strings.Index(part, "logctl ")
				if i < 0 || strings.HasPrefix(strings.TrimSpace(part), "#") {
					continue
				}
				args := words(part[i+len("logctl "):])
				root := newRoot()
				target, rest, err := root.Find(args)
				if err != nil || target == root {
					t.Errorf("%q: %v", part, err)
					continue
				}
				if err := target.ParseFlags(rest); err != nil {
					t.Errorf("%q: %v", part, err)
				}
			}
		}
	})
}

// words splits a line as a shell does, with quotes.
func words(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?:[^\s'"]|'[^']*'|"[^"]*")+`).FindAllString(line, -1) {
		if m == "&" || m == ">" || m == "<" {
			break
		}
		out = append(out, strings.NewReplacer("'", "", `"`, "").Replace(m))
	}
	return out
}
