package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
)

// sessionQueryFlags is everything that can be said to logctl sessionize query.
type sessionQueryFlags struct {
	question questionFlags
	page     int
	limit    int
	hours    int
}

// sessionQueries are what can be asked; those of a user want a key.
var sessionQueries = []string{"active", "history", "converted", "recent", "stats"}

func newSessionizeQuery() *cobra.Command {
	var f sessionQueryFlags
	cmd := &cobra.Command{
		Use:   "query {active KEY | history KEY | converted | recent | stats}",
		Short: "Ask a running sessionize for sessions",
		Long: `Query asks a sessionize that runs with --listen: for the open session of a user, the
sessions that a user had, those that converted, the last ones, or for numbers about
all of them. The answer is JSON.`,
		Example: `  # Of one that runs as: logctl sessionize --from kafka:app-logs --listen :8080
  logctl sessionize query active user-1
  logctl sessionize query stats --hours 24`,
		Args:      cobra.RangeArgs(1, 2),
		ValidArgs: sessionQueries,
		RunE:      func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	fs := cmd.Flags()
	f.question.add(fs)
	fs.IntVar(&f.page, "page", 0, "`N`th page of a list, from 0 on")
	fs.IntVar(&f.limit, "limit", 20, "sessions on a page")
	fs.IntVar(&f.hours, "hours", 0, "only the last `N` hours (0: all; of stats 24 by default)")
	return cmd
}

func (f *sessionQueryFlags) run(cmd *cobra.Command, args []string) error {
	path, err := f.path(args, cmd.Flags().Changed)
	if err != nil {
		return err
	}
	return f.question.ask(cmd, path, askPatience)
}

// path returns what is to be asked. given tells which flags were.
func (f *sessionQueryFlags) path(args []string, given func(string) bool) (string, error) {
	what, rest := args[0], args[1:]
	if !slices.Contains(sessionQueries, what) {
		return "", fault.Usagef(fault.DidYouMean(what, sessionQueries), "unknown question %q: want one of %s",
			what, strings.Join(sessionQueries, ", "))
	}
	path := "/api/sessions/" + what
	if ofUser := what == "active" || what == "history"; ofUser != (len(rest) == 1) {
		return "", fault.Usagef("as in query active user-1, query stats",
			"query %s: want one key where it is of a user", what)
	}
	if len(rest) == 1 {
		path += "/" + url.PathEscape(rest[0])
	}
	q := url.Values{}
	for name, n := range map[string]int{"page": f.page, "limit": f.limit, "hours": f.hours} {
		if given(name) {
			q.Set(name, strconv.Itoa(n))
		}
	}
	return path + "?" + q.Encode(), nil
}
