package session_test

import (
	"cmp"
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

// randomEvents are events of some hours, with ties, gaps of all lengths around
// ten minutes, and odd keys.
func randomEvents(r *rand.Rand, n int) []event {
	keys := []any{
		"ann", "bob", "a key that is longer than twelve bytes", "another key that is longer than twelve bytes",
		proof.Raw{Kind: record.Escaped, Text: `b\u006fb`},
		nil, 7, true, `q"uote`,
	}
	events := make([]event, n)
	span := int64(n) * int64(40*time.Second)
	for i := range events {
		e := event{
			At: start + r.Int64N(span)/int64(time.Second)*int64(time.Second), Offset: int64(i * 100),
			Fields: map[string]any{
				"user":  keys[r.IntN(len(keys))],
				"bytes": []any{r.IntN(100), float64(r.IntN(100)) / 4, nil, "7"}[r.IntN(4)],
				"type":  []any{"view", "view", "cart", "buy", nil}[r.IntN(5)],
				"page":  fmt.Sprint("/p", r.IntN(8)),
			},
		}
		if r.IntN(5) == 0 {
			e.At += r.Int64N(int64(time.Second))
		}
		if r.IntN(10) == 0 && i > 0 {
			e.At, e.Fields["user"] = events[i-1].At+int64(10*time.Minute), events[i-1].Fields["user"] // exactly a gap
		}
		events[i] = e
	}
	byTime(events)
	return events
}

func byTime(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Offset, b.Offset)) })
}

func shuffled(r *rand.Rand, events []event) []event {
	s := slices.Clone(events)
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

// disordered moves events by less than so long from their places.
func disordered(r *rand.Rand, events []event, by time.Duration) []event {
	type moved struct {
		event
		at int64
	}
	list := make([]moved, len(events))
	for i, e := range events {
		list[i] = moved{e, e.At + r.Int64N(int64(by))}
	}
	slices.SortStableFunc(list, func(a, b moved) int { return cmp.Compare(a.at, b.at) })
	out := make([]event, len(events))
	for i := range list {
		out[i] = list[i].event
	}
	return out
}

func keyText(v any) string {
	switch x := v.(type) {
	case proof.Raw:
		var s string
		if json.Unmarshal([]byte(`"`+x.Text+`"`), &s) != nil {
			panic(x.Text)
		}
		v = s
	case nil:
		return "null"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		panic(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// naive makes sessions by the definition, of sorted input: the events of each
// user in order, a new session where the gap is exceeded.
func naive(events []event, gap time.Duration) (rows []string) {
	events = slices.Clone(events)
	byTime(events)
	type visit struct {
		key        string
		start, end int64
		n          int
		bytes      float64
	}
	last := map[string]*visit{}
	var all []*visit
	for _, e := range events {
		key := keyText(e.Fields["user"])
		v := last[key]
		if v == nil || e.At-v.end > int64(gap) {
			v = &visit{key: key, start: e.At}
			last[key] = v
			all = append(all, v)
		}
		v.end = e.At
		v.n++
		switch x := e.Fields["bytes"].(type) {
		case int:
			v.bytes += float64(x)
		case float64:
			v.bytes += x
		case string:
			v.bytes += 7
		}
	}
	slices.SortFunc(all, func(a, b *visit) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
	for _, v := range all {
		rows = append(rows, fmt.Sprintf("%s %s %s %v %d %v", v.key, rfc(v.start), rfc(v.end), float64(v.end-v.start)/1e6, v.n, v.bytes))
	}
	return rows
}

// plain shows rows as naive does.
func plain(t *testing.T, d *driver) (rows []string) {
	t.Helper()
	ids := map[any]bool{}
	for i, r := range proof.Parsed(t, d.Out.Rows) {
		if ids[r["session_id"]] {
			t.Errorf("two sessions have the id %v", r["session_id"])
		}
		ids[r["session_id"]] = true
		sum := r["b"]
		if sum == nil {
			sum = 0.0
		}
		rows = append(rows, fmt.Sprintf("%s %s %s %v %v %v",
			d.Out.Keys[i], r["session_start"], r["session_end"], r["duration_ms"], r["events"], sum))
	}
	return rows
}

const gap = 10 * time.Minute

// The rows are those of a naive loop over sorted input, whatever the order and
// the batches, as long as nothing is late.
func TestRowsAreThoseOfSortedInput(t *testing.T) {
	for seed := range uint64(proof.Some(20)) {
		r := rand.New(rand.NewPCG(seed, 1))
		events := randomEvents(r, 50+r.IntN(1500))
		want := lines(naive(events, gap))
		for _, c := range []struct {
			name  string
			grace time.Duration
			input []event
		}{
			{"sorted", 0, events},
			{"disordered", time.Hour, disordered(r, events, time.Hour)},
			{"shuffled", -1, shuffled(r, events)},
			{"backwards", -1, backwards(events)},
		} {
			cfg := session.Config{Gap: gap, Details: session.Details{Aggs: "b=sum(bytes)"}, Grace: max(c.grace, 0), GraceUnlimited: c.grace < 0}
			d := newDriver(t, cfg)
			d.Run(c.input, 1+r.IntN(300))
			if s := d.Op.Stats(); s.Late != 0 || s.Open != 0 || s.Users != 0 {
				t.Fatalf("seed %d, %s: at the end %+v", seed, c.name, s)
			}
			if got := lines(plain(t, d)); got != want {
				t.Fatalf("seed %d, %s: got\n%s\nwant\n%s", seed, c.name, got, want)
			}
		}
	}
}

func backwards(events []event) []event {
	s := slices.Clone(events)
	slices.Reverse(s)
	return s
}

// With too little grace, rows and late records do not depend on batches, and the
// rows are those of sorted input without the late records.
func TestLatenessDoesNotDependOnBatches(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	events := disordered(r, randomEvents(r, 2000), time.Hour)
	cfg := session.Config{Gap: gap, Details: session.Details{Aggs: "b=sum(bytes)"}, Grace: 20 * time.Minute}
	var want string
	for k, size := range []int{1, 2, 13, 400, 2000} {
		d := newDriver(t, cfg)
		d.Run(events, size)
		got := fmt.Sprintf("%s\n%s\n%+v", lines(plain(t, d)), lines(d.Out.Late), d.Op.Stats())
		if k == 0 {
			want = got
			if s := d.Op.Stats(); s.Late == 0 || s.Late == 2000 {
				t.Fatalf("nothing to see: %+v", s)
			}
		}
		if got != want {
			t.Errorf("batches of %d give other rows or late records", size)
		}
	}
}

// Sessions of one user that arrive in any order are found without looking at
// all of them.
func TestManySessionsOfOneUser(t *testing.T) {
	n := proof.Some(100_000)
	r := rand.New(rand.NewPCG(5, 5))
	events := make([]event, n)
	for i := range events {
		events[i] = visit("bot", time.Duration(i)*2*gap)
	}
	d := newDriver(t, session.Config{Gap: gap, GraceUnlimited: true})
	began := time.Now()
	if rows := d.Run(shuffled(r, events), 5000); len(rows) != n {
		t.Errorf("%d rows, want %d", len(rows), n)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// Users come and go: what is kept is what is open.
func TestUsersComeAndGo(t *testing.T) {
	d := newDriver(t, session.Config{Gap: time.Second, Grace: 0})
	rounds := proof.Some(200)
	for round := range rounds {
		var events []event
		for k := range 500 {
			events = append(events, visit(fmt.Sprintf("user-%d-%s", round*500+k, strings.Repeat("x", k%40)), time.Duration(round)*10*time.Second))
		}
		d.Feed(events)
		if s := d.Op.Stats(); s.Open != 500 && round > 0 || s.Users != s.Open {
			t.Fatalf("round %d: %+v", round, s)
		}
	}
	if len(d.Out.Rows) != (rounds-1)*500 {
		t.Errorf("%d rows", len(d.Out.Rows))
	}
}
