package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/api"
	"github.com/logctl/logctl/pkg/fault"
)

// windowQueryFlags is everything that can be said to logctl window query.
type windowQueryFlags struct {
	question questionFlags
	from, to string
	open     bool
	closed   bool
	recent   bool
	stats    bool
	trends   bool
	limit    int
}

func newWindowQuery() *cobra.Command {
	var f windowQueryFlags
	cmd := &cobra.Command{
		Use:   "query [KEY]",
		Short: "Ask a running window for its windows",
		Long: `Query asks a window that runs with --listen for the rows of a key, or of all keys:
those of open windows as they are now, and those of closed ones as far as they are
kept (--retention). A key is written without quotes, its parts with commas between
them. The answer is JSON and says how far behind it is.`,
		Example: `  # Of one that runs as: logctl window --from kafka:app-logs --by service --listen :8080
  logctl window query api --open
  logctl window query --since 2026-11-24T10:00:00Z --limit 20
  logctl window query --stats`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	fs := cmd.Flags()
	f.question.add(fs)
	fs.StringVar(&f.from, "since", "", "windows that end after `TIME`")
	fs.StringVar(&f.to, "until", "", "windows that begin before `TIME`")
	fs.BoolVar(&f.open, "open", false, "open windows only")
	fs.BoolVar(&f.closed, "closed", false, "closed windows only")
	fs.BoolVar(&f.recent, "recent", false, "the rows that were written last, of all keys")
	fs.BoolVar(&f.stats, "stats", false, "how many windows and records there were, and how late")
	fs.BoolVar(&f.trends, "trends", false, "how the numbers of a key have changed")
	fs.IntVar(&f.limit, "limit", api.DefaultRows, "the newest `N` rows at most")
	return cmd
}

func (f *windowQueryFlags) run(cmd *cobra.Command, args []string) error {
	path, err := f.path(args)
	if err != nil {
		return err
	}
	return f.question.ask(cmd, path, askPatience)
}

// path returns what is to be asked.
func (f *windowQueryFlags) path(args []string) (string, error) {
	q := url.Values{"limit": {strconv.Itoa(f.limit)}}
	if f.wanted() > 1 {
		return "", fault.Usagef("", "--open, --closed, --recent, --stats and --trends: want one of them at most")
	}
	switch {
	case f.trends && len(args) == 0:
		return "", fault.Usagef("as in window query api --trends", "--trends: want a key")
	case len(args) > 0 && (f.recent || f.stats):
		return "", fault.Usagef("", "--recent and --stats are of all keys: want none")
	case f.trends:
		return "/api/trends/" + url.PathEscape(args[0]), nil
	case f.stats:
		return "/api/windows/stats", nil
	case f.recent:
		return "/api/windows/recent?" + q.Encode(), nil
	}
	if len(args) > 0 {
		q.Set("key", args[0])
	}
	for name, text := range map[string]string{"from": f.from, "to": f.to} {
		if text != "" {
			q.Set(name, text)
		}
	}
	if f.open || f.closed {
		q.Set("open", strconv.FormatBool(f.open))
	}
	return "/api/windows?" + q.Encode(), nil
}

// wanted returns how many kinds of answer are.
func (f *windowQueryFlags) wanted() (n int) {
	for _, is := range []bool{f.open, f.closed, f.recent, f.stats, f.trends} {
		if is {
			n++
		}
	}
	return n
}
