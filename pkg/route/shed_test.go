package route_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/route"
)

func TestShed(t *testing.T) {
	for s, want := range map[string]route.Shed{
		"low when lag(kafka:logs-critical) > 100":      {Rule: "low", Topic: "logs-critical", Above: 100},
		"a when b when lag(kafka:x) > 0":               {Rule: "a when b", Topic: "x"},
		"debug when lag( kafka:a.b , readers ) > 5000": {Rule: "debug", Topic: "a.b", Group: "readers", Above: 5000},
	} {
		if got, err := route.ParseShed(s); err != nil || got != want {
			t.Errorf("%s: %+v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "low when lag(logs) > 1", "low when lag(kafka:x) < 1", "low if lag(kafka:x) > 1"} {
		if _, err := route.ParseShed(s); err == nil {
			t.Errorf("%q is read", s)
		}
	}
	s := route.Shed{Above: 100}
	var states []bool
	on := false
	for _, lag := range []int64{100, 101, 51, 50, 99, 200} {
		on = s.On(lag, on)
		states = append(states, on)
	}
	if got := fmt.Sprint(states); got != "[false true true false false true]" {
		t.Errorf("shed %s", got)
	}
}

func TestShedApply(t *testing.T) {
	f, err := route.Parse("f", []byte("rules: [{name: debug, match: a == 1, to: [x, y]}]\ndefault: z"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{"debug": "[batch] [z]", "default": "[x y] [batch]", "low": "[x y] [batch]"} {
		g, err := route.Shed{Rule: rule}.Apply(f, "batch")
		if err != nil || fmt.Sprint(g.Rules[0].To, g.Default) != want {
			t.Errorf("%s: %v %v %v, want %s", rule, err, g.Rules[0].To, g.Default, want)
		}
	}
	if fmt.Sprint(f.Rules[0].To, f.Default) != "[x y] [z]" {
		t.Error("the file itself has changed")
	}
	if _, err := (route.Shed{Rule: "debgu"}).Apply(f, "batch"); err == nil {
		t.Error("an unknown rule")
	}
}
