package expr_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// blocks returns the fenced blocks of a language in a page of the manual.
func blocks(page, language string) []string {
	var found []string
	for part := range strings.SplitSeq(page, "\n```"+language+"\n") {
		text, _, _ := strings.Cut(part, "\n```\n")
		found = append(found, text)
	}
	return found[1:]
}

// manualRecord returns the record that the manual's examples are about.
func manualRecord(t *testing.T, page string) *record.Batch {
	t.Helper()
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(blocks(page, "json")[0])); err != nil {
		t.Fatal(err)
	}
	b := batch(line.String())
	add := func(text string) record.Span {
		b.Data = append(b.Data, text...)
		return record.Span{Off: uint32(len(b.Data) - len(text)), Len: uint32(len(text))}
	}
	r := &b.Recs[0]
	r.Time = 1795514584500e6 // 2026-11-24T10:03:04.5Z
	r.Key, r.Flags = add("u-17"), record.HasKey
	r.Headers = record.Span{Off: 0, Len: 2}
	b.Headers = []record.Header{{Key: add("trace"), Value: add("t-1")}, {Key: add("trace"), Value: add("t-2")}}
	return b
}

// TestManual runs the examples of docs/EXPRESSIONS.md.
func TestManual(t *testing.T) {
	file, err := os.ReadFile("../../docs/EXPRESSIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	page, ran := string(file), 0
	for _, block := range blocks(page, "logctl") {
		for line := range strings.SplitSeq(block, "\n") {
			src, want, ok := strings.Cut(line, "=> ")
			if !ok {
				t.Errorf("no => in %q", line)
				continue
			}
			ran++
			src = strings.TrimSpace(src)
			if got := answer(t, page, src); got != want {
				t.Errorf("%s gives %s, the manual says %s", src, got, want)
			}
		}
	}
	if ran < 90 {
		t.Errorf("only %d examples were found", ran)
	}
	for _, name := range expr.FunctionNames() {
		if !strings.Contains(page, "`"+name+"(") || !strings.Contains(page, "\n"+name+"(") {
			t.Errorf("the manual does not describe %s and begin an example with it", name)
		}
	}
}

func answer(t *testing.T, page, src string) string {
	t.Helper()
	plan := record.NewPlan()
	e, err := expr.Compile(src, plan)
	if err != nil {
		return "error: " + firstLine(err)
	}
	b := manualRecord(t, page)
	fill(b, plan)
	return string(e.AppendJSON(nil, b, 0))
}
