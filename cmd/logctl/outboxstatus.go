package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

func newOutbox() *cobra.Command {
	cmd := &cobra.Command{
		Use: "outbox", Short: "What waits in an outbox, and what was sent", Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newOutboxStatus())
	return cmd
}

func newOutboxStatus() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status FILE[#TABLE]",
		Short: "Count what waits in an outbox, what was sent and what was refused",
		Example: `  # What waits, what was sent, what was refused
  logctl produce outbox status outbox.db -o table`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return outboxStatus(cmd, args[0], output) },
	}
	addForm(cmd.Flags(), &output, "table", "json")
	return cmd
}

func outboxStatus(cmd *cobra.Command, name, output string) error {
	e, err := stream.ParseEndpoint(name)
	if err == nil && e.Scheme == stream.File {
		e, err = stream.ParseEndpoint("sqlite:" + name)
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(e.Path); err != nil {
		return fmt.Errorf("opening outbox %q: %w", e.Path, fault.Reason(err))
	}
	st, err := store.ReadOutboxStatus(cmd.Context(), e.Path, e.Table)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if output == "json" {
		return json.NewEncoder(out).Encode(st)
	}
	for _, line := range []struct {
		what string
		n    int64
		also string
	}{{"waiting", st.Waiting, st.Oldest}, {"sent", st.Sent, st.LastSent}, {"refused", st.Refused, st.Reason}} {
		if _, err := fmt.Fprintf(out, "%-8s %9s  %s\n", line.what, human.Count(line.n), line.also); err != nil {
			return err
		}
	}
	return nil
}
