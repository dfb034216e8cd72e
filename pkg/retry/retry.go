// Package retry decides what happens to a record that a handler or a sink has refused:
// whether it is tried again, and when, or becomes a dead letter. The caller has the
// clock.
package retry

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
)

// The kinds of errors.
const (
	Transient = "transient" // it may go away by itself: a peer that is down, too much load
	Permanent = "permanent" // it will be the same next time: the record is wrong
	Ambiguous = "ambiguous" // nobody knows whether the attempt took effect: no answer came
)

// Kinds are the names of the kinds.
var Kinds = []string{Transient, Permanent, Ambiguous}

// The classes of errors that logctl itself gives. Rules may give others.
const (
	Timeout = "TIMEOUT" // no answer in time
	Crash   = "CRASH"   // the handler ended before it answered
	Asked   = "RETRY"   // the handler asked for another attempt
	Refused = "REFUSED" // the handler refused the record
	Format  = "FORMAT"  // the record cannot be given to the handler
	Parse   = "PARSE"   // the record does not parse
)

// Classes are the names of logctl's own classes.
var Classes = []string{Timeout, Crash, Asked, Refused, Format, Parse}

// An Error is why an attempt failed.
type Error struct{ Kind, Class, Message string }

// Is reports whether name is the error's kind or class, ignoring case.
func (e Error) Is(name string) bool {
	return strings.EqualFold(e.Kind, name) || strings.EqualFold(e.Class, name)
}

// A Policy says after which errors a record is tried again, how often and when. With
// the zero value it never is.
type Policy struct {
	Most    int           // attempts after the first one, for each different error
	Backoff limit.Backoff // between them
	On      []string      // kinds and classes of errors to try again; by default transient and ambiguous
	Rules   Rules         // see ParseRules
}

// Next notes an error in the state of a record. It returns whether the record is to be
// tried again, and the earliest time for that.
func (p *Policy) Next(s *letter.State, e Error, now int64, chance *rand.Rand) (at int64, again bool) {
	e = p.Rules.Classify(e)
	n := s.Failed(e.Kind, e.Class, e.Message, now)
	s.Due = 0
	if n > p.Most || !p.retries(e) {
		return 0, false
	}
	return now + int64(p.Backoff.Delay(n, chance)), true
}

func (p *Policy) retries(e Error) bool {
	if len(p.On) == 0 {
		return e.Kind != Permanent
	}
	return slices.ContainsFunc(p.On, e.Is)
}

// ParseOn reads names of kinds and classes. Classes are in capitals, so that a
// kind that is misspelt is noticed.
func ParseOn(names []string) ([]string, error) {
	for _, n := range names {
		if n != strings.ToUpper(n) && !slices.Contains(Kinds, n) {
			hint := fault.DidYouMean(n, Kinds)
			if hint == "" {
				hint = "transient, permanent, ambiguous, or a class in capitals as TIMEOUT"
			}
			return nil, fault.Usagef(hint, "%q is no kind of errors", n)
		}
	}
	return names, nil
}

// DefaultMost is how many attempts follow the first one by default.
const DefaultMost = 10

// Wait is how long a record waits in memory at most if there is a retry topic. Records
// that have to wait longer go there.
const Wait = time.Second
