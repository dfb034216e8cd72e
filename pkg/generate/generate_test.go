package generate_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/generate"
)

func lines(t *testing.T, opt generate.Options, n int) [][]byte {
	t.Helper()
	g, err := generate.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for range n {
		line, _ := g.Append(nil)
		out = append(out, line)
	}
	return out
}

func TestEveryProfileIsJSONAndRepeats(t *testing.T) {
	for _, name := range generate.Profiles() {
		opt := generate.Options{Profile: name, Seed: 7, Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()}
		a, b := lines(t, opt, 500), lines(t, opt, 500)
		ids := map[any]bool{}
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Fatalf("%s: record %d differs between runs of one seed", name, i)
			}
			var m map[string]any
			if err := json.Unmarshal(a[i], &m); err != nil {
				t.Fatalf("%s: %v in %s", name, err, a[i])
			}
			ids[m["id"]] = true
		}
		if len(ids) != len(a) {
			t.Errorf("%s: %d ids in %d records", name, len(ids), len(a))
		}
		opt.Seed++
		if bytes.Equal(bytes.Join(a, nil), bytes.Join(lines(t, opt, 500), nil)) {
			t.Errorf("%s: another seed makes the same records", name)
		}
	}
}

func TestShares(t *testing.T) {
	const n = 20_000
	opt := generate.Options{Profile: "app", Start: 1e18, Late: 0.05, Disorder: 0.2, Malformed: 0.01}
	g, err := generate.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	var late, early, bad int
	for i := range n {
		line, at := g.Append(nil)
		switch behind := opt.Start + int64(i)*1e6 - at; {
		case behind > 30e9:
			late++
		case behind > 0:
			early++
		}
		if !json.Valid(line) {
			bad++
		}
	}
	for what, x := range map[string]struct{ got, want int }{
		"late": {late, n * 5 / 100}, "out of order": {early, n * 19 / 100}, "malformed": {bad, n / 100},
	} {
		if x.got < x.want*8/10 || x.got > x.want*12/10 {
			t.Errorf("%s: %d of %d, want about %d", what, x.got, n, x.want)
		}
	}
}

func TestPurchasesFollowTheFunnel(t *testing.T) {
	count := map[string]int{}
	for _, l := range lines(t, generate.Options{Profile: "users", Seed: 1}, 50_000) {
		var m struct{ EventType string }
		if err := json.Unmarshal(l, &m); err != nil {
			t.Fatal(err)
		}
		count[m.EventType]++
	}
	if !(count["VIEW"] > count["ADD_TO_CART"] && count["ADD_TO_CART"] > count["CHECKOUT"] && count["CHECKOUT"] > count["PURCHASE"] && count["PURCHASE"] > 0) {
		t.Errorf("no funnel: %v", count)
	}
}

func TestWrongOptions(t *testing.T) {
	_, err := generate.New(generate.Options{Profile: "htpp"})
	if fault.Status(err) != fault.Usage || fault.HintOf(err) != "did you mean http?" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	if _, err := generate.New(generate.Options{Profile: "http", Late: 2}); fault.Status(err) != fault.Usage {
		t.Errorf("a share of 2: %v", err)
	}
}

func BenchmarkHTTP(b *testing.B) {
	g, err := generate.New(generate.Options{Profile: "http"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = g.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
