package session_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// A user's open sessions are those of a naive loop over what came so far, also
// where events wait for their turn.
func TestActiveIsWhatCameSoFar(t *testing.T) {
	for name, c := range cuts {
		for seed := range uint64(proof.Some(5)) {
			r := rand.New(rand.NewPCG(seed, 21))
			events := shuffled(r, randomEvents(r, 120))
			cfg := session.Config{Gap: gap, Details: details, Cuts: c, GraceUnlimited: true}
			if name == "none" {
				cfg.Funnel = ""
			}
			d := newDriver(t, cfg)
			for k := 0; k < len(events); k += 40 {
				d.Feed(events[k : k+40])
				so := events[:k+40]
				for _, key := range []string{"ann", "a key that is longer than twelve bytes", "7", "true", "null", `q"uote`, "nobody"} {
					want := naiveOf(so, cfg, key)
					rows, active := d.Op.Active(key)
					if got := spans(t, rows); got != want {
						t.Fatalf("%s, seed %d: sessions of %s are\n%s\nwant\n%s", name, seed, key, got, want)
					}
					if len(rows) == 0 && active {
						t.Errorf("%s is active without a session", key)
					}
				}
			}
			if got, want := len(d.Run(nil, 1)), len(mustRows(events, cfg)); got != want {
				t.Errorf("%s: after the questions %d rows, want %d", name, got, want)
			}
		}
	}
}

func mustRows(events []event, cfg session.Config) []string {
	rows, _ := naiveCuts(events, cfg)
	return rows
}

// naiveOf shows start, end and events of a user's sessions by their starts.
func naiveOf(events []event, cfg session.Config, key string) string {
	var mine []event
	for _, e := range events {
		if text := keyText(e.Fields["user"]); text == key || text == strings.ReplaceAll(`"`+key+`"`, `q"`, `q\"`) {
			mine = append(mine, e)
		}
	}
	var list []string
	for _, row := range mustRows(mine, cfg) {
		i := strings.Index(row, "2026-")
		list = append(list, strings.Join(strings.Fields(row[i:])[:3], " "))
	}
	slices.Sort(list)
	return lines(list)
}

func spans(t *testing.T, rows []json.RawMessage) string {
	var list []string
	for _, row := range rows {
		r := proof.Parsed(t, []string{string(row)})[0]
		list = append(list, fmt.Sprint(r["session_start"], " ", r["session_end"], " ", r["events"]))
	}
	slices.Sort(list)
	return lines(list)
}

func TestActiveUntilTheGapHasPassed(t *testing.T) {
	d := newDriver(t, session.Config{Gap: gap, Grace: time.Hour})
	d.Feed([]event{visit("ann", 0), visit("bob", gap)})
	if _, active := d.Op.Active("ann"); !active {
		t.Error("ann is not active a gap later")
	}
	d.Feed([]event{visit("bob", gap+time.Second)})
	if rows, active := d.Op.Active("ann"); active || len(rows) != 1 {
		t.Errorf("later ann has %d sessions, active %v", len(rows), active)
	}
}

func TestHistory(t *testing.T) {
	d := newDriver(t, session.Config{
		Gap: gap, GraceUnlimited: true, Update: true, Details: session.Details{
			Convert: `type == "buy"`, Funnel: "view, buy", Abandon: "view and not buy",
		},
	})
	d.Op.KeepHistory(24 * time.Hour)
	act := func(user, kind string, after time.Duration) event {
		e := visit(user, after)
		e.Fields["type"] = kind
		return e
	}
	d.Run([]event{
		act("old", "view", 0), act("ann", "view", 25*time.Hour), act("ann", "buy", 25*time.Hour+4*time.Minute),
		act("ann", "view", 30*time.Hour), act("bob", "view", 29*time.Hour), act("bob", "view", 29*time.Hour+2*time.Minute),
	}, 2)
	show := func(list []session.Past) (users string) {
		for _, p := range list {
			row := proof.Parsed(t, []string{string(p.Row)})[0]
			if row["op"] != nil || row["final"] != nil {
				t.Errorf("row %s", p.Row)
			}
			users += fmt.Sprint(row["user"], row["events"], " ")
		}
		return users
	}
	for want, s := range map[string]session.Search{
		"ann1 bob2 ann2 ": {},
		"ann1 ann2 ":      {Key: new("ann")},
		"ann1 ":           {Key: new("ann"), Limit: 1},
		"ann2 ":           {Converted: true},
		"ann1 bob2 ":      {Since: start + int64(29*time.Hour)},
		"":                {Key: new("old")},
	} {
		if got := show(d.Op.Past(s)); got != want {
			t.Errorf("%+v: %s, want %s", s, got, want)
		}
	}
	if got := show(d.Op.Past(session.Search{Key: new("")})); got != "" {
		t.Errorf("nobody's name is empty: %s", got)
	}
	var sum session.Summary
	d.Op.Summarize(&sum, start)
	if sum.Sessions != 3 || sum.Events != 5 || sum.Converted != 1 || sum.Abandoned != 2 || sum.Total != 6*time.Minute ||
		fmt.Sprint(sum.Steps) != "[{view 3} {buy 1}]" || sum.Durations.Max() != 240_000 {
		t.Errorf("summary %+v", sum)
	}
	of := func(key string) []session.Past { return d.Op.Past(session.Search{Key: &key}) }
	if got := show(session.Latest(2, of("bob"), of("ann"))); got != "ann1 bob2 " {
		t.Errorf("the latest two are %s", got)
	}
}

// Past sessions are dropped in the order in which they closed, and their room is
// used again.
func TestHistoryIsBounded(t *testing.T) {
	d := newDriver(t, session.Config{Gap: time.Second})
	d.Op.KeepHistory(time.Minute)
	for k := range 20_000 {
		d.Feed([]event{visit(fmt.Sprint("user-", k%7), time.Duration(k)*2*time.Second)})
	}
	if n := len(d.Op.Past(session.Search{})); n < 28 || n > 31 {
		t.Errorf("%d sessions are kept of a minute with 30", n)
	}
	total := 0
	for k := range 7 {
		total += len(d.Op.Past(session.Search{Key: new(fmt.Sprint("user-", k))}))
	}
	if n := len(d.Op.Past(session.Search{})); total != n {
		t.Errorf("%d sessions by users, %d in all", total, n)
	}
}

// Operators of several partitions share what was compiled and count together.
func TestAnother(t *testing.T) {
	one := newDriver(t, session.Config{Gap: gap, GraceUnlimited: true, Details: details})
	two := proof.NewDriver(t, one.Op.Another(), one.Plan)
	one.Feed([]event{visit("ann", 0)})
	two.Feed([]event{visit("ann", 0), visit("bob", 0)})
	one.Tick()
	if s := one.Op.Stats(); s.Held != 3 || s.Users != 3 || s != two.Op.Stats() {
		t.Errorf("stats %+v and %+v", s, two.Op.Stats())
	}
	rows := append(one.Run(nil, 1), two.Run(nil, 1)...)
	if s := one.Op.Stats(); len(rows) != 3 || s.Closed != 3 || s.Held != 0 || s.Users != 0 {
		t.Errorf("%d rows, stats %+v", len(rows), s)
	}
}

// Summaries of parts, as instances send them to each other, add up to that of all.
func TestSummariesMerge(t *testing.T) {
	details := session.Details{Funnel: "view, buy", Convert: `type == "buy"`}
	cfg := session.Config{Gap: gap, GraceUnlimited: true, Details: details}
	events := randomEvents(rand.New(rand.NewPCG(3, 9)), 400)
	sum := func(events []event) *session.Summary {
		d := newDriver(t, cfg)
		d.Op.KeepHistory(1000 * time.Hour)
		d.Run(events, 1)
		s := new(session.Summary)
		d.Op.Summarize(s, record.NoTime)
		return s
	}
	byUser := map[bool][]event{}
	for _, e := range events {
		half := len(keyText(e.Fields["user"]))%2 == 0
		byUser[half] = append(byUser[half], e)
	}
	merged := new(session.Summary)
	for _, part := range byUser {
		text, err := json.Marshal(sum(part))
		if err != nil {
			t.Fatal(err)
		}
		sent := new(session.Summary)
		if err := json.Unmarshal(text, sent); err != nil {
			t.Fatal(err)
		}
		merged.Merge(sent)
	}
	want := sum(events)
	got, _ := json.Marshal(merged)
	if all, _ := json.Marshal(want); string(got) != string(all) || want.Sessions == 0 || want.Durations.Count() != want.Sessions {
		t.Errorf("parts are together\n%s\nwant\n%s", got, all)
	}
}
