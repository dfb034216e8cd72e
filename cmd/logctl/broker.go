package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/broker"
	"github.com/logctl/logctl/pkg/fault"
)

// brokerFlags is everything that can be said to logctl broker.
type brokerFlags struct {
	daemon       daemonFlags
	cfg          broker.Config
	usersFile    string
	cert, key    string
	noAutoCreate bool
}

// brokerHints say what to write for flags that mean something else to clients.
var brokerHints = map[string]string{
	"--brokers": "--brokers 3 runs three of them; --addr is where the first one listens",
	" --sasl":   "--users-file FILE has clients log in",
	" --tls":    "--addr-cert FILE and --addr-key FILE have clients speak TLS",
}

func newBroker() *cobra.Command {
	var f brokerFlags
	cmd := &cobra.Command{
		Use:   "broker [--data DIR]",
		Short: "Run a Kafka-compatible broker in this process, for development",
		Long: `Broker runs a Kafka-compatible broker in this process: topics, groups, transactions
and share groups, for any Kafka client. Without --data everything is gone when it
ends. It is for development and single nodes, not for what must not be lost.

It prints its addresses, for other commands' --brokers, as one line on stdout.`,
		Example: `  # A broker that keeps its data
  logctl broker --data ./broker

  # Three brokers on free ports, for a test
  logctl broker --addr :0 --brokers 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		for flag, hint := range brokerHints {
			if strings.Contains(err.Error(), flag) {
				err = fault.Hint(err, hint)
				break
			}
		}
		return flagError(cmd, err)
	})
	fs := cmd.Flags()
	section(fs, runningSection, f.daemon.add)
	fs.StringVar(&f.cfg.Addr, "addr", broker.DefaultAddr,
		"Kafka `ADDRESS` of the first node; the others take the next ports (:0: free ones)")
	fs.IntVar(&f.cfg.Brokers, "brokers", 1, "run so many of them, all in this process")
	ownKeyOnly(fs, "brokers")
	fs.StringVar(&f.cfg.Data, "data", "", "keep the data in `DIR`")
	fs.BoolVar(&f.cfg.Fsync, "fsync", false, "sync every batch to disk before it is acknowledged")
	sizeVar(fs, &f.cfg.MaxBytes, "max-bytes", broker.DefaultMaxBytes,
		"refuse producers beyond so many bytes on disk (0: no limit)")
	fs.IntVar(&f.cfg.Partitions, "partitions", broker.DefaultPartitions,
		"partitions of a topic that is made by its first use")
	fs.BoolVar(&f.noAutoCreate, "no-auto-create", false, "a topic must be created before it is used")
	fs.StringVar(&f.usersFile, "users-file", "", "clients log in as one of the users in `FILE`, NAME:PASSWORD a line")
	fs.StringVar(&f.cert, "addr-cert", "", "speak TLS on --addr with the certificate in `FILE` (PEM)")
	fs.StringVar(&f.key, "addr-key", "", "and its key in `FILE` (PEM)")
	return cmd
}

func (f *brokerFlags) run(cmd *cobra.Command) error {
	cfg := f.cfg
	cfg.NoAutoCreate = f.noAutoCreate
	if cfg.Brokers == 0 || cfg.Partitions == 0 {
		return fault.Usagef("", "--brokers %d --partitions %d: want 1 or more", cfg.Brokers, cfg.Partitions)
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = -1
	}
	cfg.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError}))
	if err := f.secure(cmd, &cfg); err != nil {
		return err
	}
	defer leeway(brokerLeeway)()
	b, err := broker.Start(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	stop, err := f.daemon.serve(cmd, nil, nil)
	if err != nil {
		return fmt.Errorf("%w%s", err, closing(b.Close()))
	}
	defer stop()
	note(cmd, "%s", broker.Notice)
	if f.cfg.Data == "" {
		note(cmd, "the data is gone when this ends; --data DIR keeps it")
	}
	fmt.Fprintln(cmd.OutOrStdout(), strings.Join(b.Addrs(), ","))
	select {
	case <-cmd.Context().Done():
	case <-b.Failed():
	}
	return b.Close()
}

// closing adds what went wrong while cleaning up to an error's text.
func closing(err error) string {
	if err == nil {
		return ""
	}
	return " (and closing: " + err.Error() + ")"
}

// secure reads the files of users and certificates.
func (f *brokerFlags) secure(cmd *cobra.Command, cfg *broker.Config) error {
	if f.usersFile != "" {
		file, err := os.Open(f.usersFile)
		if err != nil {
			return fault.Usagef("", "reading users: %w", err)
		}
		defer func() { _ = file.Close() }()
		if cfg.Users, err = broker.ReadUsers(file); err != nil {
			return fault.Usagef("NAME:PASSWORD a line", "reading users from %q: %w", f.usersFile, err)
		}
	}
	shown := certificate{flag: "addr", cert: f.cert, key: f.key}
	conf, err := shown.config()
	if err != nil {
		return err
	}
	shown.warn(cmd, conf)
	cfg.TLS = conf
	return nil
}
