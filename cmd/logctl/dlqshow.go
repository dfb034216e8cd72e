package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/record"
)

func newDLQList() *cobra.Command {
	var f dlqFlags
	var format string
	var page int
	var limit int64
	cmd := &cobra.Command{
		Use:   "ls --from ENDPOINT",
		Short: "List dead letters, the oldest first, page by page",
		Example: `  # The time-outs of the last day, a page of fifty
  logctl dlq ls --from kafka:app-logs-dlq --class TIMEOUT --since 24h --page 1 -o table`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if page < 1 || limit < 0 {
				return fault.Usagef("", "--page %d --limit %d: pages are numbered from 1", page, limit)
			}
			x, err := f.letters(cmd)
			if err != nil {
				return err
			}
			all := x.Letters()
			rows := rowsOf(all, page, int(limit))
			if err := listing.Objects(cmd.OutOrStdout(), format, rows); err != nil {
				return err
			}
			sayPage(cmd, len(rows), len(all), page, int(limit))
			return nil
		},
	}
	f.add(cmd)
	f.addFilter(cmd.Flags())
	addForm(cmd.Flags(), &format, forms...)
	cmd.Flags().IntVar(&page, "page", 1, "`N`th page; letters that come meanwhile are on the last one")
	cmd.Flags().Int64Var(&limit, "limit", 50, "letters of a page (0: all)")
	return cmd
}

// rowsOf returns a page of letters.
func rowsOf(letters []dlq.Letter, page, limit int) []dlq.Row {
	if limit > 0 {
		before := min(page-1, len(letters)/limit+1) // pages; more of them are as far
		letters = letters[min(before*limit, len(letters)):]
		letters = letters[:min(limit, len(letters))]
	}
	rows := []dlq.Row{}
	for i := range letters {
		rows = append(rows, letters[i].Row())
	}
	return rows
}

// sayPage says what a page is of, unless it is all there is.
func sayPage(cmd *cobra.Command, rows, all, page, limit int) {
	pages := 1
	if limit > 0 {
		pages = (all-1)/limit + 1
	}
	switch {
	case rows == all:
	case page < pages:
		note(cmd, "page %d of %d, of %s letters: --page %d is the next", page, pages, human.Count(int64(all)), page+1)
	default:
		note(cmd, "page %d of %d, of %s letters", page, pages, human.Count(int64(all)))
	}
}

func newDLQShow() *cobra.Command {
	var f dlqFlags
	var raw bool
	cmd := &cobra.Command{
		Use:   "show ID --from ENDPOINT",
		Short: "Show one dead letter: payload, headers, the history of its errors",
		Long: `Show prints all there is of a letter. Its ID is where the record came from, as ls
shows it, or its place among the dead letters. A record that died more than once
has several letters; all of them are shown.`,
		Example: `  logctl dlq show app-logs/0@3 --from kafka:app-logs-dlq

  # The payload alone, byte for byte
  logctl dlq show app-logs/0@3 --from kafka:app-logs-dlq --raw`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.show(cmd, args[0], raw) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&raw, "raw", false, "the payload alone, byte for byte")
	return cmd
}

// shower prints letters as they are read.
type shower struct {
	filter dlq.Filter
	raw    bool
	index  *dlq.Index
	found  [][]byte
}

func (s *shower) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		l, ok := dlq.ReadLetter(rows.Batch, i)
		if !ok || !s.filter.Takes(&l) {
			continue
		}
		if s.raw {
			s.found = append(s.found, append([]byte{}, rows.Value(i)...))
			continue
		}
		full := dlq.ReadFull(&l, rows.Batch, i)
		full.Done = s.index.Done(l.Place)
		s.found = append(s.found, dlq.AppendJSON(nil, full))
	}
	return nil
}

func (f *dlqFlags) show(cmd *cobra.Command, id string, raw bool) error {
	chosen := dlq.Filter{IDs: []string{id}}
	x, err := f.index(cmd, chosen)
	if err != nil {
		return err
	}
	found, err := f.look(cmd, x, chosen, raw)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.Hint(fmt.Errorf("there is no dead letter %q in %s", id, f.from[0]), "logctl dlq ls lists them")
	}
	for _, text := range found {
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			return err
		}
	}
	return nil
}

// look returns the chosen letters in full, as JSON, or their payloads.
func (f *dlqFlags) look(cmd *cobra.Command, x *dlq.Index, chosen dlq.Filter, raw bool) ([][]byte, error) {
	p, err := f.pipeline(cmd)
	if err != nil {
		return nil, err
	}
	s := &shower{filter: chosen, raw: raw, index: x}
	err = p.read(s, everything)
	return s.found, err
}
