// Logctl turns the shell into a log-processing platform: its commands read and
// write files, pipes and Kafka alike.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := interruptible()
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	help := checkHelp(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = *help
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // interrupted while it was still opening what it needs
	}
	return report(stderr, err)
}

// checkHelp has help be written as one piece, and returns where the error of that will
// be: cobra knows of none.
func checkHelp(root *cobra.Command) *error {
	var err error
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		out := cmd.OutOrStdout()
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		_, err = out.Write(text.Bytes())
	})
	return &err
}

// oneStop is how long signals are those of one stop: timeout(1) and other wrappers send
// each to the process and to its group.
const oneStop = 500 * time.Millisecond

// interruptible returns a context that the first SIGINT, SIGTERM or SIGHUP ends. One that
// comes later ends the process; but a terminal that is closed says SIGHUP more than once,
// and under nohup, where it is ignored, it stays so. SIGPIPE is taken and not ignored: an
// ignored signal would be inherited by children, and a closed pipe shows as an error
// of the write.
func interruptible() (context.Context, context.CancelFunc) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	hangups := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(hangups, syscall.SIGHUP)
	}
	go func() {
		select {
		case <-signals:
		case <-hangups:
		case <-ctx.Done():
			return
		}
		cancel()
		first := time.Now()
		for range signals {
			if time.Since(first) > oneStop {
				os.Exit(fault.Failed)
			}
		}
	}()
	return ctx, cancel
}

// report prints err the one way logctl prints errors and returns its status.
func report(stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return fault.OK // a closed reader downstream has had enough
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Quiet {
		return e.Status
	}
	fmt.Fprintf(stderr, "logctl: %s\n", stream.HidePassword(err.Error()))
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(stderr, "logctl: hint: %s\n", stream.HidePassword(hint))
	}
	return fault.Status(err)
}
