package main

import (
	"regexp"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// unknownKey is how yaml names a key that a file of topics does not have.
var unknownKey = regexp.MustCompile(`line (\d+): field (.+) not found in type`)

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
	return fault.Usagef("see logctl topic apply --help", "reading topics from %q: %w", path, err)
}
