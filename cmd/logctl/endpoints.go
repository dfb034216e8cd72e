package main

import (
	"slices"

	"github.com/logctl/logctl/pkg/stream"
)

// endpoints are those that a run reads from, or writes to.
type endpoints []stream.Endpoint

// databases are the kinds of endpoints whose records are rows of a table.
var databases = []stream.Scheme{stream.SQLite, stream.Postgres}

// of returns how many endpoints are of one of these kinds.
func (l endpoints) of(kinds ...stream.Scheme) (n int) {
	for _, e := range l {
		if slices.Contains(kinds, e.Scheme) {
			n++
		}
	}
	return n
}

// only reports whether there is a single endpoint, which is of one of these kinds.
func (l endpoints) only(kinds ...stream.Scheme) bool { return len(l) == 1 && l.of(kinds...) == 1 }

// parseEndpoints reads endpoints as the user names them.
func parseEndpoints(names []string) (endpoints, error) {
	var list endpoints
	for _, name := range names {
		e, err := stream.ParseEndpoint(name)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
