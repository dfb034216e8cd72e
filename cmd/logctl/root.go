package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
)

func newRoot() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "logctl",
		Short: "Log processing for the shell: files, pipes and Kafka alike",
		Long: `Logctl processes logs with the same commands on a file, in a pipe and, as
daemons, over Kafka, and gives the same answer in all three.

Exit status: 0 done, 1 a failure while working (or the answer "no"), 2 wrong usage.`,
		Version:                    version,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 3,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Name() != cobra.ShellCompRequestCmd {
				warnUnknown(cmd)
			}
			if err := configure(cmd); err != nil {
				return err
			}
			return cmp.Or(refuseEmpty(cmd), refuseStray(cmd))
		},
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().String("config", "", "read settings from `FILE`")
	cmd.PersistentFlags().BoolP("quiet", "q", false, "print neither progress nor summary on stderr")
	cmd.PersistentFlags().BoolP("help", "h", false, "print this help")
	cmd.Flags().BoolP("version", "v", false, "print the version")
	cmd.SetFlagErrorFunc(flagError)
	cmd.SetVersionTemplate("logctl {{.Version}}\n")
	cmd.CompletionOptions.HiddenDefaultCmd = true
	cmd.AddCommand(
		newProduce(), newConsume(), newRoute(), newWindow(), newSessionize(),
		newBroker(), newTopic(), newGroup(), newCluster(), newDLQ(),
		newConfig(),
	)
	orderFlags(cmd)
	completeFlags(cmd)
	checkOperands(cmd)
	cmd.SetUsageFunc(usage)
	return cmd
}

// checkOperands has wrong numbers of operands reported as the wrong usage that
// they are, with how the command is written.
func checkOperands(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, ours := errors.AsType[*fault.Error](err); err == nil || ours {
				return err
			}
			got := "no operand"
			if len(args) > 0 {
				got = fmt.Sprintf("%q", args)
			}
			_, name, _ := strings.Cut(cmd.CommandPath(), " ")
			return fault.Usagef("as in "+cmd.UseLine(), "%s: got %s", name, got)
		}
	}
	for _, c := range cmd.Commands() {
		checkOperands(c)
	}
}

// unknownCommand refuses what is no command, naming the nearest one.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fault.DidYouMean(args[0], commandNames(cmd))
	for _, c := range cmd.Commands() {
		if slices.Contains(c.SuggestFor, args[0]) { // its name elsewhere
			hint = "did you mean " + c.Name() + "?"
		}
	}
	if hint == "" {
		hint = "see " + cmd.CommandPath() + " --help"
	}
	return fault.Usagef(hint, "unknown command %q for %q", args[0], cmd.CommandPath())
}

// commandNames returns the names of cmd's commands.
func commandNames(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}
