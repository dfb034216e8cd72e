package retry_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/retry"
)

func chance() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// attempts returns how often a record is tried that fails with the errors of
// next.
func attempts(p retry.Policy, next func(n int) retry.Error) int {
	var s letter.State
	now, dice := int64(1), chance()
	for n := 1; ; n++ {
		at, again := p.Next(&s, next(n), now, dice)
		if !again || n == 1000 {
			return n
		}
		now = at
	}
}

func always(kind, message string) func(int) retry.Error {
	return func(int) retry.Error { return retry.Error{Kind: kind, Class: "X", Message: message} }
}

func TestAttempts(t *testing.T) {
	rules, err := retry.ParseRules("permanent - no such column", "f")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		p    retry.Policy
		next func(int) retry.Error
		want int
	}{
		{"transient", retry.Policy{Most: 10}, always(retry.Transient, "busy"), 11},
		{"ambiguous", retry.Policy{Most: 10}, always(retry.Ambiguous, "no answer"), 11},
		{"permanent goes straight to the dead letters", retry.Policy{Most: 10}, always(retry.Permanent, "bad"), 1},
		{"none", retry.Policy{}, always(retry.Transient, "busy"), 1},
		{"permanent by a rule", retry.Policy{Most: 3, Rules: rules}, always(retry.Transient, "no such column"), 1},
		{"only another class", retry.Policy{Most: 3, On: []string{"TIMEOUT"}}, always(retry.Transient, "busy"), 1},
		{"the class, in any letters", retry.Policy{Most: 3, On: []string{"x"}}, always(retry.Permanent, "busy"), 4},
		{"one error with changing numbers is one", retry.Policy{Most: 10}, func(n int) retry.Error {
			return retry.Error{Kind: retry.Transient, Class: "X", Message: fmt.Sprintf("busy for %d ms", n)}
		}, 11},
		{"two different errors count separately", retry.Policy{Most: 10}, func(n int) retry.Error {
			return retry.Error{Kind: retry.Transient, Class: "X", Message: []string{"busy", "locked"}[n%2]}
		}, 21},
	} {
		if got := attempts(c.p, c.next); got != c.want {
			t.Errorf("%s: tried %d times, want %d", c.name, got, c.want)
		}
	}
}

// TestNextAttemptIsDueByItself: the time of a letter's last wait in a topic is over.
func TestNextAttemptIsDueByItself(t *testing.T) {
	p, s := retry.Policy{Most: 3}, letter.State{Due: 5}
	if p.Next(&s, retry.Error{Kind: retry.Transient}, 7, chance()); s.Due != 0 {
		t.Errorf("due at %d, want at no time of its own", s.Due)
	}
}

func TestDelaysGrow(t *testing.T) {
	p := retry.Policy{Most: 10, Backoff: limit.Backoff{Base: 100 * time.Millisecond, Most: time.Second}}
	var s letter.State
	dice := chance()
	for n, want := range []int64{100, 200, 400, 800, 1000, 1000} {
		at, _ := p.Next(&s, retry.Error{Kind: retry.Transient, Class: "X"}, 0, dice)
		if d := time.Duration(at); d.Milliseconds() > want || d.Milliseconds() < want/2 {
			t.Errorf("after attempt %d: %v, want half of %d ms to all of it", n+1, d, want)
		}
	}
}

func TestRules(t *testing.T) {
	rules, err := retry.ParseRules("# ours\n \ntransient  TIMEOUT  (?i)timed? ?out\r\n\tpermanent - ^no such$\npermanent GONE CRASH", "f")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want retry.Error }{
		{retry.Error{retry.Permanent, "X", "Timed out"}, retry.Error{retry.Transient, "TIMEOUT", "Timed out"}},
		{retry.Error{retry.Transient, "X", "no such"}, retry.Error{retry.Permanent, "X", "no such"}},
		{retry.Error{retry.Ambiguous, "CRASH", ""}, retry.Error{retry.Permanent, "GONE", ""}},
		{retry.Error{retry.Ambiguous, "X", "else"}, retry.Error{retry.Ambiguous, "X", "else"}},
	} {
		if got := rules.Classify(c.in); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"transcient X y": `f:1: "transcient" is no kind`, "\npermanent X": "f:2: ", "permanent x y": "capitals",
		"permanent X (": "f:1: error parsing regexp",
	} {
		if _, err := retry.ParseRules(text, "f"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestParseOn(t *testing.T) {
	if _, err := retry.ParseOn([]string{"transient", "TIMEOUT"}); err != nil {
		t.Error(err)
	}
	_, err := retry.ParseOn([]string{"transiant"})
	if fault.Status(err) != fault.Usage || fault.HintOf(err) != "did you mean transient?" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	if _, err = retry.ParseOn([]string{"weekly"}); !strings.Contains(fault.HintOf(err), "transient, permanent, ambiguous") {
		t.Errorf("%v, hint %q: want the kinds that there are", err, fault.HintOf(err))
	}
}
