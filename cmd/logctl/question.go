package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
)

// questionFlags say whom a query asks.
type questionFlags struct {
	at        string
	tokenFile string
}

func (f *questionFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.at, "at", "127.0.0.1:8080", "`ADDR` of its --listen, or a URL")
	fs.StringVar(&f.tokenFile, "auth-token-file", "", "show the token in `FILE`")
}

// ask asks a running command and writes its answer.
func (f *questionFlags) ask(cmd *cobra.Command, path string) error {
	token, err := readSecret(f.tokenFile)
	if err != nil {
		return err
	}
	client, err := httpapi.NewClient(token, "")
	if err != nil {
		return err
	}
	answer, err := client.Get(cmd.Context(), f.at, path)
	if err != nil {
		return err
	}
	var s fleet.Standing
	if json.Unmarshal(answer, &s) == nil && s.Partial {
		note(cmd, "this is not all: %s", s.Reasons())
	}
	_, err = cmd.OutOrStdout().Write(answer)
	return err
}
