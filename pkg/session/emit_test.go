package session_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

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
		want := slices.Sorted(slices.Values(newDriver(t, cfg).run(events, 100)))
		cfg.Update = true
		d := newDriver(t, cfg)
		kept, retracted := map[any]string{}, 0
		apply := func() {
			for i, row := range parsed(t, d.out.rows) {
				switch id := row["session_id"]; {
				case row["op"] == "upsert":
					kept[id] = d.out.rows[i]
				case row["op"] != "retract" || kept[id] == "":
					t.Fatalf("row %s", d.out.rows[i])
				default:
					retracted++
					delete(kept, id)
				}
			}
			d.out.rows = nil
		}
		for k := range 30 {
			d.now++
			d.feed(events[k*10 : k*10+10])
			apply()
			if got, want := len(kept), len(naive(events[:k*10+10], gap)); got != want {
				t.Fatalf("seed %d: after %d events %d sessions, want %d", seed, k*10+10, got, want)
			}
		}
		d.must(d.op.Finish(&d.out))
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
	d.now = int64(time.Hour)
	d.feed([]event{visit("u", 0), visit("u", time.Minute), visit("v", 0)})
	d.feed([]event{visit("u", 2*time.Minute)})
	d.now += int64(time.Second)
	d.tick()
	if got := short(t, d.out.rows); got != "v 0-0 1;u 0-1 2;u 0-2 3;" {
		t.Errorf("updates %s", got)
	}
}

func TestAbandonedSessions(t *testing.T) {
	act := func(user, kind string, after time.Duration) event {
		e := visit(user, after)
		e.fields["type"] = kind
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
				var to collector
				if aside {
					d.op.SetAbandoned(&to)
				}
				var got []string
				rows := parsed(t, d.run(events, 100))
				for i, r := range append(rows, parsed(t, to.late)...) {
					if r["event"] == "abandoned" {
						got = append(got, r["user"].(string))
					}
					if i < 3 && aside && r["abandoned"] != slices.Contains(strings.Fields(c.want), r["user"].(string)) {
						t.Errorf("row %v", r)
					}
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("abandoned %s, want %s\n%s", s, c.want, lines(d.out.rows))
				}
			})
		}
	}
}
