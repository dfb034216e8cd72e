package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/route"
)

func TestDefaultClasses(t *testing.T) {
	f, err := route.ParseClasses("classes", []byte(route.DefaultClasses))
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	table, err := route.Compile(f, route.Options{First: true, Stats: &w.stats, Dests: w.dests})
	if err != nil {
		t.Fatal(err)
	}
	w.live.Set(table)
	for line, class := range map[string]string{
		`{"exception":"java.lang.OutOfMemoryError","status":404}`: "critical",
		`{"message":"at StackOverflowError"}`:                     "critical",
		`{"status":"503"}`:                                        "critical",
		`{"msg":"Database users\nis DOWN"}`:                       "critical",
		`{"status":404,"level":"ERROR"}`:                          "high",
		`{"responseTime":1500}`:                                   "high",
		`{"exception":"IOException"}`:                             "high",
		`{"latency_ms":1000,"severity":"error"}`:                  "normal",
		`{"level":"WARN"}`:                                        "low",
		`{}`:                                                      "low",
	} {
		name := "kafka:logs-" + class
		before := len(w.sinks[name].values)
		w.route(t, w.batch(line), 1)
		if len(w.sinks[name].values) != before+1 {
			t.Errorf("%s is not %s", line, class)
		}
	}
}

func TestClassesOfAFile(t *testing.T) {
	f, err := route.ParseClasses("c.yaml", []byte("critical: a == 1\nto: {critical: [x, y], low: 'null:'}"))
	if err != nil || len(f.Rules) != 1 || fmt.Sprint(f.Rules[0].To, f.Default) != "[x y] [null:]" {
		t.Errorf("%v %+v", err, f)
	}
	for text, want := range map[string]string{
		"critcal: a == 1":           `c.yaml:1:1: unknown key "critcal"`,
		"high: [a ==]":              `c.yaml:1:7: rule "high": expression`,
		"high: a ==":                `c.yaml:1:11: rule "high": expression`,
		"high: []":                  `c.yaml:1:7: the class "high" has no condition`,
		"to: {hihg: x}":             `c.yaml:1:6: unknown key "hihg"`,
		"high: a == 1\nlow: a == 2": `c.yaml:2:1: unknown key "low"`,
	} {
		f, err := route.ParseClasses("c.yaml", []byte(text))
		if err == nil {
			_, err = route.Compile(f, route.Options{})
		}
		if fault.Status(err) != fault.Usage || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
