package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
)

func newTopicApply() *cobra.Command {
	var f topicFlags
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make topics as a file declares them",
		Long: `Apply creates the topics of a YAML file that are missing, adds partitions and
changes settings. It removes nothing. The file holds a list:

  topics:
    - {name: app-logs, partitions: 12, configs: {retention.ms: "604800000"}}`,
		Example: "  logctl topic apply topics.yaml --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.apply(cmd, args[0]) },
	}
	section(cmd.Flags(), kafkaSection, f.kafka.add)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	return cmd
}

func (f *topicFlags) apply(cmd *cobra.Command, path string) error {
	text, err := os.Open(path)
	if err != nil {
		return fault.Usagef("", "reading topics: %w", err)
	}
	defer func() { _ = text.Close() }()
	var file struct {
		Topics []kafka.TopicSpec `yaml:"topics"`
	}
	dec := yaml.NewDecoder(text)
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return unreadable(path, err)
	}
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		changes, err := a.Apply(ctx, file.Topics, f.dryRun)
		for _, c := range changes {
			fmt.Fprintln(cmd.OutOrStdout(), c)
		}
		return err
	})
}

// unknownKey is how yaml names a key that a file of topics does not have.
var unknownKey = regexp.MustCompile(`line (\d+): field (.+) not found in type`)

// otherKind is how yaml says that a value is of another kind, in words of Go.
var otherKind = regexp.MustCompile("cannot unmarshal !!\\w+(?: (`[^`]*`))? into (\\S+)")

// kinds are those words as users of the file know what is meant.
var kinds = map[string]string{
	"[]kafka.TopicSpec": "a list of topics", "kafka.TopicSpec": "keys, as in {name: app-logs}",
	"int": "a whole number", "string": "a text", "map[string]string": "settings, as in {retention.ms: \"60000\"}",
}

// unreadable says what is wrong with a file of topics, in the file's words.
func unreadable(path string, err error) error {
	if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
		known := []string{"topics", "name", "partitions", "replication", "configs"}
		hint := fault.DidYouMean(m[2], known)
		if hint == "" {
			hint = "one of " + strings.Join(known, ", ")
		}
		return fault.Usagef(hint, "reading topics from %q: line %s: unknown key %q", path, m[1], m[2])
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("there is nothing in it")
	}
	plain := otherKind.ReplaceAllStringFunc(err.Error(), func(s string) string {
		m := otherKind.FindStringSubmatch(s)
		return strings.TrimSpace(cmp.Or(m[1], "this") + " is not " + cmp.Or(kinds[m[2]], "what belongs here"))
	})
	said := strings.NewReplacer("yaml: ", "", "unmarshal errors:\n  ", "", "\n ", ";").Replace(plain)
	return fault.Usagef("see logctl topic apply --help", "reading topics from %q: %s", path, said)
}
