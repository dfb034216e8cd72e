package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// The tests of this package share these with those of other operators.
type (
	event  = proof.Event
	driver = proof.Driver[*session.Op]
)

func newDriver(t testing.TB, cfg session.Config) *driver {
	t.Helper()
	plan := record.NewPlan()
	op, err := session.New(cfg, plan)
	if err != nil {
		t.Fatal(err)
	}
	return proof.NewDriver(t, op, plan)
}

var start = proof.At("2026-11-24T10:00:00Z")

func lines(rows []string) string { return strings.Join(rows, "\n") }

func rfc(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }

// visit is an event of a user so long after start.
func visit(user string, after time.Duration) event {
	return event{At: start + int64(after), Fields: map[string]any{"user": user}}
}
