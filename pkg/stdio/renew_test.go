package stdio_test

import (
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// The header of a log comes again and changes: each record is read by the one above it, however the
// bytes arrive, and by a run that goes on further down too.
func TestHeadersThatComeAgain(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"w3c", "#Version: 1.0\n#Fields: date time a b\n2026-01-01 10:00:00 1 2\n2026-01-01 10:00:01 3 4\n" +
			"#Version: 1.0\r\n#Fields: date time b\r\n2026-01-01 10:00:02 5\r\n2026-01-01 10:00:03 6\r\n" +
			"#Fields: date time a b\n#Fields: time b a\n#Date: 2026-01-02 00:00:00\n10:00:04 7 8\n#Date: 2026-01-03 00:00:00\n10:00:05 9 -", []string{
			"2026-01-01 10:00:00,1,2", "2026-01-01 10:00:01,3,4", "2026-01-01 10:00:02,,5", "2026-01-01 10:00:03,,6",
			"2026-01-02 10:00:04,8,7", "2026-01-03 10:00:05,,9",
		}},
		{"zeek", "#separator \\x09\n#set_separator\t,\n#unset_field\t-\n#fields\ttimestamp\ta\tb\n#types\ttime\tcount\tset[count]\n" +
			"1.5\t1\t2\n2.5\t-\t3,4\n#close\tx\n" +
			"#separator \\x7c\r\n#set_separator|;\r\n#fields|timestamp|b|a\r\n#types|time|string|count\r\n3.5|x|5\r\n#close|x\r\n" +
			"#fields|b|timestamp\n6|4.5\n#unset_field|?\n?|5.5\n", []string{
			"1.5,1,[2]", "2.5,,[3,4]", "3.5,5,x", "4.5,,6", "5.5,,",
		}},
	} {
		t.Run(c.name, func(t *testing.T) { checkHeaders(t, c.text, c.want) })
	}
}

func checkHeaders(t *testing.T, text string, want []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.log")
	write(t, path, []byte(text))
	for _, arena := range []int{16, 64, 1000, 1 << 20} {
		piped := stdio.NewReader(&chunks{[]byte(text), rand.New(rand.NewPCG(uint64(arena), 1))}, "x", stdio.Options{Format: newDecoder(t)})
		for name, s := range map[string]stream.Source{"pipe": piped, "file": open(t, stdio.Options{Format: newDecoder(t)}, path)[0]} {
			got, at := columnsOf(t, s, arena)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, arena %d: -want +got\n%s", name, arena, d)
			}
			for i, p := range at {
				again := open(t, stdio.Options{Format: newDecoder(t)}, path)[0]
				if err := again.(stream.Seeker).Seek([]stream.Position{p}); err != nil {
					t.Fatal(err)
				}
				rest, _ := columnsOf(t, again, 1<<20)
				if name == "file" && !slices.Equal(rest, want[i:]) {
					t.Errorf("from byte %d on: got %q, want %q", p.Next, rest, want[i:])
				}
			}
		}
	}
}

func newDecoder(t *testing.T) *codec.Decoder {
	t.Helper()
	d, err := codec.New(codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// columnsOf returns timestamp, a and b of the records of a source, and where each
// of them begins.
func columnsOf(t *testing.T, s stream.Source, arena int) (rows []string, at []stream.Position) {
	t.Helper()
	plan := record.NewPlan()
	columns := []int{plan.Column("timestamp"), plan.Column("a"), plan.Column("b")}
	p := newDecoder(t).NewParser(plan)
	for {
		b := &record.Batch{Data: make([]byte, 0, arena)}
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			return rows, at
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Parse(b)
		if len(b.Faults) > 0 {
			t.Errorf("line %d: %s", b.Recs[b.Faults[0].Row].Line, b.Faults[0].Reason)
		}
		for i := range b.Recs {
			if !b.Recs[i].Live() {
				continue
			}
			var texts []string
			for _, k := range columns {
				texts = append(texts, string(b.Text(b.Col(k)[i])))
			}
			rows = append(rows, strings.Join(texts, ","))
			at = append(at, stream.Position{Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Recs[i].Offset})
		}
	}
}
