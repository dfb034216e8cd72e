package postgres

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

const createSeen = `CREATE TABLE IF NOT EXISTS _logctl_seen (
	sink text NOT NULL, name uuid NOT NULL, at bigint NOT NULL, PRIMARY KEY (sink, name))`

const (
	lockSeen = "SELECT pg_advisory_xact_lock(hashtext('logctl seen'), hashtext($1))"
	loadSeen = "SELECT name, at FROM _logctl_seen WHERE sink = $1 AND name = ANY ($2::uuid[])"
	markSeen = `INSERT INTO _logctl_seen SELECT $1, name, at FROM unnest($2::uuid[], $3::bigint[]) m(name, at)
		ON CONFLICT (sink, name) DO UPDATE SET at = excluded.at`
	sweepSeen = "DELETE FROM _logctl_seen WHERE sink = $1 AND at < $2"
)

// mostNames is how many marks a statement has.
const mostNames = 10_000

// seen remembers the names of the rows of a sink in its database, in the transaction
// of the rows: a row and its mark are there both or neither. Which rows are new is
// found out at its end, while no other writer of the table does: each attempt sees
// what others have marked by then.
type seen struct {
	sink  string
	namer table.Namer
	ttl   int64
	marks []mark // of the transaction, as its lines

	dropped []bool // of those, as the last attempt has it
	newest  int64
	swept   int64
}

// A mark is what a row is remembered by, if it is named.
type mark struct {
	name  [16]byte
	at    int64
	named bool
}

// add takes the name of record i, whose line comes next.
func (s *seen) add(b *record.Batch, i int) {
	name, at, named := s.namer.Name(b, i)
	s.marks = append(s.marks, mark{name, at, named})
	if named {
		s.newest = max(s.newest, at)
	}
}

// write finds what came before and marks the rest, in the transaction under way.
func (s *seen) write(ctx context.Context, srv *server) error {
	if _, err := srv.query(ctx, lockSeen, s.sink); err != nil {
		return err
	}
	last, err := s.load(ctx, srv)
	if err != nil {
		return err
	}
	s.dropped = slices.Grow(s.dropped[:0], len(s.marks))[:len(s.marks)]
	fresh := map[[16]byte]int64{}
	for i, m := range s.marks {
		before, known := last[m.name]
		s.dropped[i] = m.named && known && max(m.at-before, before-m.at) <= s.ttl
		if m.named && !s.dropped[i] {
			last[m.name], fresh[m.name] = m.at, m.at
		}
	}
	if err := s.mark(ctx, srv, fresh); err != nil {
		return err
	}
	if s.newest-s.swept < s.ttl {
		return nil
	}
	_, err = srv.query(ctx, sweepSeen, s.sink, strconv.FormatInt(s.newest-2*s.ttl, 10))
	return err
}

// load returns when the names of the transaction were last seen.
func (s *seen) load(ctx context.Context, srv *server) (map[[16]byte]int64, error) {
	last := map[[16]byte]int64{}
	for some := range slices.Chunk(s.marks, mostNames) {
		names := array{}
		for _, m := range some {
			if m.named {
				names.addName(m.name)
			}
		}
		rows, err := srv.query(ctx, loadSeen, s.sink, names.String())
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			var name [16]byte
			_, err := hex.Decode(name[:], []byte(strings.ReplaceAll(row[0], "-", "")))
			if err != nil {
				return nil, err
			}
			last[name], _ = strconv.ParseInt(row[1], 10, 64) // the server prints what it has as integers
		}
	}
	return last, nil
}

// mark adds marks to the transaction.
func (s *seen) mark(ctx context.Context, srv *server, fresh map[[16]byte]int64) error {
	var names, times array
	put := func() error {
		_, err := srv.query(ctx, markSeen, s.sink, names.String(), times.String())
		names, times = names[:0], times[:0]
		return err
	}
	n := 0
	for name, at := range fresh {
		names.addName(name)
		times.add(strconv.AppendInt(nil, at, 10))
		if n++; n%mostNames == 0 {
			if err := put(); err != nil {
				return err
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return put()
}

// committed forgets the transaction, and returns how many of its rows were dropped.
func (s *seen) committed() (dropped int) {
	for _, d := range s.dropped {
		if d {
			dropped++
		}
	}
	if s.newest-s.swept >= s.ttl {
		s.swept = s.newest
	}
	s.marks, s.dropped = s.marks[:0], s.dropped[:0]
	return dropped
}

// An array is the text of one, as the server reads it, less its last brace.
type array []byte

func (a *array) add(v []byte) { *a = append(append(*a, "{,"[boolIndex(len(*a) > 0)]), v...) }

func (a *array) addName(name [16]byte) { a.add(hex.AppendEncode(nil, name[:])) }

// String returns the whole text.
func (a array) String() string {
	if len(a) == 0 {
		return "{}"
	}
	return string(a) + "}"
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}
