package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/human"
)

// askPatience is how long a query waits for its answer.
const askPatience = 30 * time.Second

// questionFlags say whom a query asks.
type questionFlags struct {
	at        string
	tokenFile string
}

func (f *questionFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.at, "at", "127.0.0.1:8080", "`ADDR` of its --listen, or a URL")
	fs.StringVar(&f.tokenFile, "auth-token-file", "", "show the token in `FILE`")
}

// ask asks a running command and writes its answer, which has to come within patience.
func (f *questionFlags) ask(cmd *cobra.Command, path string, patience time.Duration) error {
	token, err := readSecret(f.tokenFile)
	if err != nil {
		return err
	}
	client, err := httpapi.NewClient(token, "")
	if err != nil {
		return err
	}
	late := fmt.Errorf("no whole answer within %s", human.Span(patience))
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), patience, late)
	defer cancel()
	answer, err := client.Get(ctx, f.at, path)
	if err != nil {
		return err
	}
	if !json.Valid(answer) {
		return fmt.Errorf("asking %s: it is no run of logctl: it answers %q", f.at, answer[:min(len(answer), 40)])
	}
	var s fleet.Standing
	if json.Unmarshal(answer, &s) == nil && s.Partial {
		note(cmd, "this is not all: %s", s.Reasons())
	}
	_, err = cmd.OutOrStdout().Write(answer)
	return err
}
