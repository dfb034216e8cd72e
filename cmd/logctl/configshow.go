package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/stream"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in force and where they come from",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigShow())
	return cmd
}

func newConfigShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [COMMAND]",
		Short: "Print each setting of a command with its value and origin",
		Example: `  # The settings of window, and whether flag, environment, file or default set them
  LOGCTL_WINDOW_SIZE=5m logctl config show window`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 || target == cmd.Root() && len(args) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			if target != cmd.Root() {
				if err := inherit(cmd, target); err != nil {
					return err
				}
			}
			return showConfig(cmd, target)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			target, _, err := cmd.Root().Find(args)
			if err != nil || len(args) > 0 && !target.HasSubCommands() {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(target), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// inherit configures target as if it were run, with cmd's --config.
func inherit(cmd, target *cobra.Command) error {
	target.InitDefaultHelpFlag()
	path, _ := cmd.Flags().GetString("config")
	if err := target.ParseFlags(nil); err != nil {
		return err
	}
	if err := target.Flags().Set("config", path); err != nil {
		return fmt.Errorf("passing on --config: %w", err)
	}
	return configure(target)
}

func showConfig(cmd, target *cobra.Command) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	target.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "config" || f.Name == "version" {
			return
		}
		origin := "default"
		if o := f.Annotations[originKey]; len(o) > 0 {
			origin = o[0]
		} else if f.Changed {
			origin = "flag"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, stream.HidePassword(f.Value.String()), origin)
	})
	return w.Flush()
}
