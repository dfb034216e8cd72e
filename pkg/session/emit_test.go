package session_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/session"
)

// closedOnly removes what rows have besides where updates are written.
func closedOnly(row string) string {
	row = strings.Replace(row, `{"op":"upsert",`, "{", 1)
	return strings.Replace(row, `,"final":true}`, "}", 1)
}

// Who keeps the last row of each id, and drops those that are retracted, has at
// any time the sessions of what came so far, and in the end the closed ones.
func TestUpdatesAndRetractions(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		events := shuffled(r, randomEvents(r, 300))
		cfg := session.Config{Gap: gap, GraceUnlimited: true, Details: session.Details{Aggs: "b=sum(bytes)"}}
		want := slices.Sorted(slices.Values(newDriver(t, cfg).Run(events, 100)))
		cfg.Update = true
		d := newDriver(t, cfg)
		kept, retracted := map[any]string{}, 0
		apply := func() {
			for i, row := range proof.Parsed(t, d.Out.Rows) {
				switch id := row["session_id"]; {
				case row["op"] == "upsert":
					kept[id] = d.Out.Rows[i]
				case row["op"] != "retract" || kept[id] == "":
					t.Fatalf("row %s", d.Out.Rows[i])
				default:
					retracted++
					delete(kept, id)
				}
			}
			d.Out.Rows = nil
		}
		for k := range 30 {
			d.Now++
			d.Feed(events[k*10 : k*10+10])
			apply()
			if got, want := len(kept), len(naive(events[:k*10+10], gap)); got != want {
				t.Fatalf("seed %d: after %d events %d sessions, want %d", seed, k*10+10, got, want)
			}
		}
		d.Must(d.Op.Finish(&d.Out))
		apply()
		if retracted == 0 {
			t.Error("nothing was retracted")
		}
		var got []string
		for _, row := range slices.Sorted(maps.Values(kept)) {
			got = append(got, closedOnly(row))
		}
		slices.Sort(got)
		if lines(got) != lines(want) {
			t.Errorf("seed %d: kept\n%s\nwant\n%s", seed, lines(got), lines(want))
		}
	}
}

// Updates come no more often than they are wanted, and only for what changed.
func TestUpdatesAreCoalesced(t *testing.T) {
	d := newDriver(t, session.Config{Gap: gap, GraceUnlimited: true, Update: true, Every: time.Second})
	d.Now = int64(time.Hour)
	d.Feed([]event{visit("u", 0), visit("u", time.Minute), visit("v", 0)})
	d.Feed([]event{visit("u", 2*time.Minute)})
	d.Now += int64(time.Second)
	d.Tick()
	if got := short(t, d.Out.Rows); got != "v 0-0 1;u 0-1 2;u 0-2 3;" {
		t.Errorf("updates %s", got)
	}
}

func TestAbandonedSessions(t *testing.T) {
	act := func(user, kind string, after time.Duration) event {
		e := visit(user, after)
		e.Fields["type"] = kind
		return e
	}
	events := []event{
		act("left", "view", 0), act("left", "cart", time.Second),
		act("paid", "cart", 0), act("paid", "purchase", 2*time.Second),
		act("none", "view", 3*time.Second),
	}
	for _, c := range []struct {
		name    string
		details session.Details
		want    string
	}{
		{"by types", session.Details{Abandon: "cart and not purchase"}, "left"},
		{"with the types shown", session.Details{Abandon: "cart and not purchase", Type: "type"}, "left"},
		{"by fields of the row", session.Details{Abandon: "events == 1 or duration_ms > 1500"}, "paid none"},
		{"by a funnel", session.Details{Abandon: "funnel_step == 1", Funnel: "cart, purchase"}, "left"},
		{"by an aggregate", session.Details{Abandon: `kinds > 1 and not (last == "purchase")`, Aggs: "kinds=distinct(type), last=last(type)"}, "left"},
	} {
		for _, aside := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, aside), func(t *testing.T) {
				d := newDriver(t, session.Config{Gap: gap, Details: c.details})
				var to proof.Output
				if aside {
					d.Op.SetAbandoned(&to)
				}
				var got []string
				rows := proof.Parsed(t, d.Run(events, 100))
				for i, r := range append(rows, proof.Parsed(t, to.Late)...) {
					if r["event"] == "abandoned" {
						got = append(got, r["user"].(string))
					}
					if i < 3 && aside && r["abandoned"] != slices.Contains(strings.Fields(c.want), r["user"].(string)) {
						t.Errorf("row %v", r)
					}
				}
				if n := d.Op.Stats().Rows; n != int64(len(d.Out.Rows)) {
					t.Errorf("%d rows are counted, want %d", n, len(d.Out.Rows))
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("abandoned %s, want %s\n%s", s, c.want, lines(d.Out.Rows))
				}
			})
		}
	}
}
