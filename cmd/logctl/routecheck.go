package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/route"
)

func newRouteCheck() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE…",
		Short:   "Say what is wrong with files of rules",
		Example: "  logctl route check rules.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return eachRules(args, func(f *route.File, t *route.Table) error {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s, to %s\n", f.Name, count(len(f.Rules), "rule"),
					count(len(f.Tests), "test"), strings.Join(t.Destinations(), " "))
				return nil
			})
		},
	}
}

func newRouteTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE…",
		Short: "Run the examples that files of rules carry",
		Long: `Test runs the examples under tests: in files of rules. An example is a record and
what it expects: the rules that match, where it goes, what it is sent as.

  tests:
    - name: a failed login is masked
      record: {message: failed login of ann@example.com, status: 401}
      rules: [failed-logins]
      to: [kafka:logs-security]
      sends: {kafka:logs-security: {message: 'failed login of [email]', status: 401}}`,
		Example: "  logctl route test rules.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return testRules(cmd, args) },
	}
}

func testRules(cmd *cobra.Command, paths []string) error {
	failed, run := 0, 0
	dec, err := codec.New(codec.Options{})
	if err != nil {
		return err
	}
	err = eachRules(paths, func(f *route.File, t *route.Table) error {
		for _, test := range f.Tests {
			run++
			faults := t.Run(test, dec)
			if len(faults) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "ok    %s: %s\n", f.Name, test.Name)
				continue
			}
			failed++
			fmt.Fprintf(cmd.OutOrStdout(), "FAIL  %s: %s\n", f.Name, test.Name)
			for _, fault := range faults {
				fmt.Fprintf(cmd.OutOrStdout(), "      %s\n", fault)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case run == 0:
		return fault.Usagef("see logctl route test --help", "no file has tests")
	case failed > 0:
		return fmt.Errorf("%d of %s failed", failed, count(run, "test"))
	}
	return nil
}

// eachRules calls do with each file and its table, and goes on behind those that
// are wrong, whose errors it returns.
func eachRules(paths []string, do func(*route.File, *route.Table) error) error {
	var errs []error
	for _, path := range paths {
		f, err := readRules(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.Certain()
		t, err := route.Compile(f, route.Options{Explain: true})
		if err == nil {
			err = do(f, t)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// count returns a number of things in words.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return human.Count(int64(n)) + " " + what
}
