package exec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
)

func TestParseAnswer(t *testing.T) {
	for line, want := range map[string]string{
		`{"ack":"ok"}`:                       "",
		"{\"ack\":\"ok\"}\r":                 "",
		`{ "note": 1, "ack" : "ok" }`:        "",
		`{"ack":"retry"}`:                    "transient",
		`{"error":{"code":7},"ack":"retry"}`: "transient",
		`{"ack":"fail","error":"no"}`:        "permanent",
		`{"kind":"k","ack" :"fail"}`:         "permanent",
		` {"ack":"retry"} `:                  "transient",
		`{"ack":"retry","class":5}`:          "transient",
		`{"ack":"fail","class":{"a":null}}`:  "permanent",
		`{"ack":"fail","class":null}`:        "permanent",
		`{"ack":"perhaps"}`:                  "output",
		`{"ack":true}`:                       "output",
		`{"tcp":{"ack":"ok"}}`:               "output",
		`{"message":"he said \"ack\""}`:      "output",
		`{"ack":"ok"`:                        "output",
		`ack`:                                "output",
		``:                                   "output",
		`["ack"]`:                            "output",
		"\xff{\"ack\":\"ok\"}":               "output",
		`{"ack":"ok"} {"ack":"fail"}`:        "output",
	} {
		output, kind := exec.ParseAnswer([]byte(line))
		if output {
			kind = "output"
		}
		if kind != want {
			t.Errorf("%q: got %q, want %q", line, kind, want)
		}
	}
}

// FuzzParseAnswer checks against the plain reading of the protocol.
func FuzzParseAnswer(f *testing.F) {
	for _, s := range []string{`{"ack":"ok"}`, `{"ack":"retry","error":5}`, `{"a":{"ack":"fail"}}`, `{"ack":null}`, "x", "{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		output, kind := exec.ParseAnswer(line)
		var a struct{ Ack any }
		ack := ""
		if trimmed := bytes.Trim(line, " \t\r"); len(trimmed) > 0 && trimmed[0] == '{' && json.Unmarshal(line, &a) == nil {
			ack, _ = a.Ack.(string)
		}
		if output && kind != "" || kind == "transient" && ack != "retry" || kind == "permanent" && ack != "fail" ||
			!output && kind == "" && ack != "ok" {
			t.Errorf("%q: output %v, kind %q, ack %q", line, output, kind, ack)
		}
	})
}

// TestAnswersInTurnAreNotParsedAgain reads more failures than are remembered, and then
// some in turn: each says what it says, and is parsed no more.
func TestAnswersInTurnAreNotParsedAgain(t *testing.T) {
	var answers exec.Answers
	line := func(why int) []byte { return fmt.Appendf(nil, `{"ack":"fail","error":"%d"}`, why) }
	read := func(why int, line []byte) {
		if got := answers.Read(line); got != strconv.Itoa(why) {
			t.Errorf("%s is taken for %q", line, got)
		}
	}
	for why := range 30 {
		read(why, line(why))
		read(why/2, line(why/2))
	}
	one, other := line(7), line(8)
	read(7, one)
	read(8, other)
	if n := testing.AllocsPerRun(100, func() {
		answers.Read(one)
		answers.Read(other)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
