package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

func newDLQPurge() *cobra.Command {
	var f dlqFlags
	var all, dryRun bool
	cmd := &cobra.Command{
		Use:   "purge --from ENDPOINT",
		Short: "Put dead letters away: they are not listed, counted or replayed any more",
		Long: `Purge notes of letters that they are done with. Of a topic, the records before which
everything is purged or replayed are deleted then; others stay until their time is up. A
file keeps its lines.`,
		Example: "  logctl dlq purge --from kafka:app-logs-dlq --class PARSE",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen := len(f.classes)+len(f.sources)+len(f.signatures) > 0 || f.since > 0
			switch {
			case !all && !chosen:
				return fault.Usagef("--class, --source, --signature or --since choose some", "purge of everything needs --all")
			case all && chosen:
				return fault.Usagef("leave --all out, or what chooses some", "--all is every letter, and others choose some")
			}
			return f.purge(cmd, dryRun)
		},
	}
	f.add(cmd)
	f.addFilter(cmd.Flags())
	addForm(cmd.Flags(), &f.form, forms...)
	cmd.Flags().BoolVar(&all, "all", false, "all letters")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	return cmd
}

func (f *dlqFlags) purge(cmd *cobra.Command, dryRun bool) error {
	x, err := f.letters(cmd)
	if err != nil {
		return err
	}
	letters := x.Letters()
	if dryRun {
		return listing.Objects(cmd.OutOrStdout(), f.form, rowsOf(letters, 1, 0))
	}
	if err := f.mark(cmd, letters); err != nil {
		return err
	}
	note(cmd, "%s letters purged", human.Count(int64(len(letters))))
	return f.deleteDone(cmd)
}

// mark notes that letters are purged.
func (f *dlqFlags) mark(cmd *cobra.Command, letters []dlq.Letter) error {
	p, err := f.pipeline(cmd)
	if err != nil {
		return err
	}
	s, err := p.sideSink(f.from[0])
	if err != nil {
		return p.close(err)
	}
	const atOnce = 1000
	for len(letters) > 0 && err == nil {
		b := record.NewBatch()
		n := min(len(letters), atOnce)
		for i := range letters[:n] {
			dlq.AddMark(b, letters[i].Place, dlq.Purged)
		}
		err = s.Write(b.All())
		b.Release()
		letters = letters[n:]
	}
	if fl, ok := s.(stream.Flusher); ok && err == nil {
		err = fl.Flush(context.WithoutCancel(cmd.Context()))
	}
	return p.close(err)
}

// deleteDone deletes the records of a topic of dead letters before which
// everything is done with.
func (f *dlqFlags) deleteDone(cmd *cobra.Command) error {
	e, err := f.endpoint()
	if err != nil || e.Scheme != stream.Kafka {
		return err
	}
	x, err := f.index(cmd, dlq.Filter{})
	if err != nil {
		return err
	}
	done := x.DoneUpTo()
	if len(done) == 0 {
		return nil
	}
	cfg, err := f.kafka.config(e)
	if err != nil {
		return err
	}
	admin, err := kafka.OpenAdmin(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := admin.DeleteBefore(cmd.Context(), e.Topics[0], done); err != nil {
		return fault.Hint(fmt.Errorf("deleting what is done with: %w", err), "the letters are purged all the same")
	}
	return nil
}

// newest leaves out letters of whose key there is a newer record in their topic.
func (f *dlqFlags) newest(cmd *cobra.Command, letters []dlq.Letter) ([]dlq.Letter, error) {
	n := dlq.NewNewer(letters)
	topics, since := n.Topics()
	if len(topics) == 0 {
		return letters, nil
	}
	p, err := f.pipeline(cmd)
	if err != nil {
		return nil, err
	}
	from, err := f.endpoint()
	if err != nil {
		return nil, err
	}
	if from.Scheme != stream.Kafka {
		from = stream.Endpoint{Scheme: stream.Kafka}
	}
	from.Topics = topics
	p.endpoints = endpoints{from}
	k := everything
	k.start = time.Unix(0, since).UTC().Format(time.RFC3339Nano)
	if since == record.NoTime {
		k.start = ""
	}
	if err := p.read(n, k); err != nil {
		return nil, errors.Join(errors.New("--if-newer: looking for newer records"), err)
	}
	return n.Keep(letters), nil
}
