package session_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/session"
)

// A run is a session of the naive loop.
type naiveRun struct {
	key              string
	start, end, over int64
	n, step          int
	why              string
	types            map[string]int
	last             []string
	pages            []string
	bought           float64 // when, in ms from the start; -1 never
}

// naiveCuts makes sessions from sorted input by the definition, and the events
// with their places.
func naiveCuts(events []event, cfg session.Config) (rows, placed []string) {
	events = slices.Clone(events)
	byTime(events)
	open := map[string]*naiveRun{}
	var all []*naiveRun
	end := func(r *naiveRun, over int64, why string) {
		r.over, r.why = over, why
		delete(open, r.key)
	}
	deadline := func(r *naiveRun) (int64, string) {
		if l := int64(cfg.MaxLength); l > 0 && r.start+l < r.end+int64(cfg.Gap) {
			return r.start + l, "max_length"
		}
		return r.end + int64(cfg.Gap), "gap"
	}
	for _, e := range events {
		key, kind := keyText(e.Fields["user"]), fmt.Sprint(e.Fields["type"])
		r := open[key]
		if r != nil {
			if over, why := deadline(r); e.At > over {
				end(r, over, why)
			} else if cfg.StartWhen != "" && e.Fields["page"] == "/p0" {
				end(r, e.At, "start_when")
			}
		}
		if r = open[key]; r == nil {
			r = &naiveRun{key: key, start: e.At, types: map[string]int{}, bought: -1}
			open[key] = r
			all = append(all, r)
		}
		r.add(e, kind)
		placed = append(placed, fmt.Sprintf("%s %s %d %v %s", rfc(e.At), key, r.n, float64(e.At-r.start)/1e6, e.Fields["page"]))
		if cfg.EndWhen != "" && kind == "buy" {
			end(r, e.At, "end_when")
		} else if cfg.MaxEvents > 0 && r.n == int(cfg.MaxEvents) {
			end(r, e.At, "max_events")
		}
	}
	for _, r := range all {
		if r.why == "" {
			r.over, r.why = deadline(r)
		}
	}
	slices.SortStableFunc(all, func(a, b *naiveRun) int {
		return cmp.Or(cmp.Compare(a.over, b.over), cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
	for _, r := range all {
		rows = append(rows, r.String())
	}
	return rows, placed
}

func (r *naiveRun) add(e event, kind string) {
	r.end = e.At
	r.n++
	if r.step < 3 && kind == []string{"view", "cart", "buy"}[r.step] {
		r.step++
	}
	if e.Fields["type"] != nil {
		r.types[kind]++
		r.last = append(r.last, kind)
	}
	if p := e.Fields["page"].(string); !slices.Contains(r.pages, p) {
		r.pages = append(r.pages, p)
	}
	if kind == "buy" && r.bought < 0 {
		r.bought = float64(e.At-r.start) / 1e6
	}
}

func (r *naiveRun) String() string {
	return fmt.Sprintf("%s %s %s %d %s %v %v %v %d %v", r.key, rfc(r.start), rfc(r.end), r.n, r.why, r.types,
		r.last[max(0, len(r.last)-3):], r.pages, r.step, r.bought)
}

// ordered shows rows as naiveCuts does.
func ordered(t *testing.T, d *driver) (rows []string) {
	t.Helper()
	for i, r := range proof.Parsed(t, d.Out.Rows) {
		bought := r["time_to_conversion_ms"]
		if bought == nil {
			bought = -1
		}
		if (bought != -1) != r["converted"] {
			t.Errorf("row %s", d.Out.Rows[i])
		}
		why := r["ended_by"]
		if why == nil {
			why = "gap"
		}
		rows = append(rows, fmt.Sprintf("%s %s %s %v %v %v %v %v %v %v", d.Out.Keys[i], r["session_start"], r["session_end"],
			r["events"], why, r["types"], r["sequence"], r["pages"], r["funnel_step"], bought))
	}
	return rows
}

var details = session.Details{
	Type: "type", Sequence: 3, Page: "page", Convert: `type == "buy"`, Funnel: "view, cart, bought=type == 'buy'",
}

var cuts = map[string]session.Cuts{
	"none":   {},
	"length": {MaxLength: 25 * time.Minute},
	"events": {MaxEvents: 4},
	"start":  {StartWhen: `page == "/p0"`},
	"end":    {EndWhen: `type == "buy"`},
	"all":    {MaxLength: time.Hour, MaxEvents: 9, StartWhen: `page == "/p0"`, EndWhen: `type == "buy"`},
}

// Sessions that are cut, too, are those of a naive loop over sorted input.
func TestCutsAreThoseOfSortedInput(t *testing.T) {
	t.Parallel()
	for name, c := range cuts {
		for seed := range uint64(proof.Some(8)) {
			r := rand.New(rand.NewPCG(seed, 7))
			events := randomEvents(r, 50+r.IntN(800))
			cfg := session.Config{Gap: gap, Details: details, Cuts: c}
			rows, _ := naiveCuts(events, cfg)
			want := lines(rows)
			for how, input := range map[string][]event{
				"sorted": events, "disordered": disordered(r, events, time.Hour), "shuffled": shuffled(r, events),
			} {
				cfg.Grace, cfg.GraceUnlimited = time.Hour, how == "shuffled"
				d := newDriver(t, cfg)
				d.Run(input, 1+r.IntN(200))
				if s := d.Op.Stats(); s.Late != 0 || s.Open != 0 || s.Users != 0 || s.Held != 0 {
					t.Fatalf("%s, seed %d, %s: at the end %+v", name, seed, how, s)
				}
				if got := lines(ordered(t, d)); got != want {
					t.Fatalf("%s, seed %d, %s: got\n%s\nwant\n%s", name, seed, how, got, want)
				}
			}
		}
	}
}

// With Events the records are written in order, each with its place in its
// session.
func TestEventsHaveTheirPlaces(t *testing.T) {
	for name, c := range cuts {
		r := rand.New(rand.NewPCG(1, 8))
		events := randomEvents(r, 500)
		for i := range events {
			if _, ok := events[i].Fields["user"].(proof.Raw); ok {
				events[i].Fields["user"] = "bob"
			}
		}
		cfg := session.Config{Gap: gap, Cuts: c, Details: session.Details{Events: true}, Grace: time.Hour}
		_, want := naiveCuts(events, cfg)
		d := newDriver(t, cfg)
		d.Run(disordered(r, events, time.Hour), 100)
		var got []string
		ids := map[string]string{}
		for i, row := range proof.Parsed(t, d.Out.Rows) {
			got = append(got, fmt.Sprintf("%s %s %v %v %s", rfc(d.Out.Recs[i].Time), d.Out.Keys[i], row["session_seq"], row["session_age_ms"], row["page"]))
			began := rfc(d.Out.Recs[i].Time-int64(row["session_age_ms"].(float64)*1e6)) + d.Out.Keys[i]
			if old, ok := ids[row["session_id"].(string)]; ok && old[:19] != began[:19] {
				t.Errorf("one id for %s and %s", old, began)
			}
			ids[row["session_id"].(string)] = began
		}
		if lines(got) != lines(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, lines(got), lines(want))
		}
	}
}

func TestEventsKeepWhatTheyHave(t *testing.T) {
	for value, want := range map[string]string{
		`{"user":"u","a":1}`:  `{"user":"u","a":1,"session_id":"…","session_seq":1,"session_age_ms":0}`,
		`{"a":[1,{"b":2}] } `: `{"a":[1,{"b":2}] ,"session_id":"…","session_seq":1,"session_age_ms":0}`,
		`{}`:                  `{"session_id":"…","session_seq":1,"session_age_ms":0}`,
		` { } `:               ` { "session_id":"…","session_seq":1,"session_age_ms":0}`,
		`{"session_id":"x","session_seq":7,"b":"\"session_\""}`: `{"b":"\"session_\"","session_id":"…","session_seq":1,"session_age_ms":0}`,
		`plain "text"`: `{"message":"plain \"text\"","session_id":"…","session_seq":1,"session_age_ms":0}`,
	} {
		d := newDriver(t, session.Config{Gap: gap, Details: session.Details{Events: true}})
		b := proof.Batch(d.Plan, proof.File, nil)
		b.Add([]byte(value)).Time = start
		d.Op.Prepare(b)
		d.Must(d.Op.Process(b.All(), &d.Out))
		d.Must(d.Op.Finish(&d.Out))
		id := proof.Parsed(t, d.Out.Rows)[0]["session_id"].(string)
		if got := strings.Replace(d.Out.Rows[0], id, "…", 1); got != want {
			t.Errorf("%s became %s, want %s", value, got, want)
		}
	}
}

// A user who never stops has sessions of bounded length and size.
func TestAUserWhoNeverStops(t *testing.T) {
	d := newDriver(t, session.Config{Gap: gap, Cuts: session.Cuts{MaxLength: time.Hour}, Grace: time.Minute})
	for hour := range 50 {
		var events []event
		for k := range 60 {
			events = append(events, visit("bot", time.Duration(hour)*time.Hour+time.Duration(k)*time.Minute))
		}
		d.Feed(events)
		if s := d.Op.Stats(); s.Open > 2 || s.Held > 4 {
			t.Fatalf("after %d hours %+v", hour, s)
		}
	}
	if n := len(d.Out.Rows); n != 49 {
		t.Errorf("%d sessions of an hour and a minute, want 49", n)
	}
}
