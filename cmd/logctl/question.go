package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	answer, err := httpapi.Get(cmd.Context(), f.at, path, token)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(answer)
	return err
}
