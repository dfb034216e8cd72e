package sigma_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sigma"
)

// TestBase64OffsetFindsValues: a value is found in the base64 of whatever has it
// somewhere, and not in that of what has not.
func TestBase64OffsetFindsValues(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 1))}
	noise := func() []byte {
		b := make([]byte, m.IntN(9))
		for i := range b {
			b[i] = byte(m.IntN(256))
		}
		return b
	}
	for range proof.Some(2000) {
		value := pick(m, "Invoke-Expression", "DownloadString", "/bin/sh", "straße", `\\cmd.exe`)
		encoded, key := []byte(value), "f|base64offset|contains|cased"
		if m.IntN(2) == 0 {
			encoded, key = wide(value), "f|wide|base64offset|contains|cased"
		}
		r, err := sigma.Parse("f", []byte(rule("s: {'"+key+"': "+quote(value)+"}\ncondition: s")))
		if err != nil {
			t.Fatal(err)
		}
		plan := record.NewPlan()
		e, err := expr.CompileBool(r.Cond, plan)
		if err != nil {
			t.Fatal(err)
		}
		with := bytes.Join([][]byte{noise(), encoded, noise()}, nil)
		without := bytes.Join([][]byte{noise(), encoded[:len(encoded)/2], noise()}, nil)
		for _, c := range []struct {
			text []byte
			want bool
		}{{with, true}, {without, false}} {
			line := quote(map[string]any{"f": "powershell -enc " + base64.StdEncoding.EncodeToString(c.text)})
			if got := e.True(parse(t, plan, line), 0); got != c.want {
				t.Fatalf("%s of %q in %s: %v, want %v by %s", key, value, line, got, c.want, r.Cond)
			}
		}
	}
}

// wide returns text of the basic plane in UTF-16, little endian.
func wide(text string) (b []byte) {
	for _, r := range text {
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}
