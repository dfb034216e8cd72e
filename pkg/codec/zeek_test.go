package codec

import (
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

const zeekHeaderText = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#open\t2026-01-01-10-00-00\n#fields\tts\tuid\tid.orig_p\tlocal\tnote\ttags\tttls\tseen\n" +
	"#types\ttime\tstring\tport\tbool\tstring\tset[string]\tvector[interval]\tvector[bool]"

var zeekFields = []string{"ts", "uid", "id.orig_p", "local", "note", "tags", "ttls", "seen"}

// readAll reads a text as a file of a format to be found.
func readAll(t *testing.T, text string, plan *record.Plan) *record.Batch {
	t.Helper()
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &record.Batch{Origin: &record.Origin{Modified: record.NoTime}}
	skip := d.Begin([]byte(text), b.Origin)
	b.Data = []byte(text[skip:])
	d.NewParser(plan).Parse(b)
	return b
}

func TestZeek(t *testing.T) {
	text := zeekHeaderText + "\n" +
		"1521911720.865716\tC1\t53\tT\tplain\ta,b\\x2cc\t1.5,-\tT,F\n" +
		"1521911720.9\t123\t-\tF\t(empty)\t(empty)\t-\t-\r\n" +
		"-\t\\x09x\\\\y\\xzz\t0\t-\t\tnone\t(empty)\tT\n" +
		"short\trow\n" +
		"#close\t2026-01-01-11-00-00\n" +
		"#fields\tts\tuid\tid.orig_p\tlocal\tnote\ttags\tttls\tseen\n" +
		"#fields\tother\n"
	want := []string{
		`ts=1521911720.865716 uid="C1" id.orig_p=53 local=true note="plain" tags=["a","b,c"] ttls=[1.5,null] seen=[true,false]`,
		`ts=1521911720.9 uid="123" local=false note="" tags=[]`,
		`uid="\tx\\y\\xzz" id.orig_p=0 note="" tags=["none"] ttls=[] seen=[true]`,
		"bad: 2 columns, want the 8 of the header",
		"", "",
		"bad: other columns than those at the beginning of the file",
	}
	b := readAll(t, text, planOf(zeekFields...))
	if b.Origin.Format != "zeek" || b.Origin.Header != zeekHeaderText {
		t.Fatalf("found %q with the header %q", b.Origin.Format, b.Origin.Header)
	}
	if got := rowsText(b, zeekFields); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if b.Remarks != 2 || b.Recs[4].Live() || b.Recs[5].Live() {
		t.Errorf("%d lines are no records, want 2", b.Remarks)
	}
	if got := FieldNames(b); !slices.Equal(got, zeekFields) {
		t.Errorf("its fields are %q", got)
	}
	unread := readAll(t, text, record.NewPlan())
	if len(unread.Recs) != len(b.Recs) || unread.Remarks != b.Remarks || len(unread.Faults) != len(b.Faults) {
		t.Error("which records there are depends on the fields that are read")
	}
}

// TestZeekHeaders reads what the lines above say, or leave out.
func TestZeekHeaders(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#separator \\x7c\n#set_separator|;\n#empty_field|none\n#unset_field|?\n#fields|a|b\n#types|count|set[count]\n1|2;3\n?|none\n", "a=1 b=[2,3], b=[]"},
		{"#separator \\x09\n#fields\ta\tb\n1\t2\n", `a="1" b="2"`},
		{"#separator \\x09\n1\t2\n", "bad: the columns have no names: a log of Zeek names them in a line that begins with #fields"},
		{"#separator \\x09\n#fields\ta\tb\n#types\tcount\tcount", ""},
	} {
		if got := strings.Join(rowsText(readAll(t, c.text, planOf("a", "b")), []string{"a", "b"}), ", "); got != c.want {
			t.Errorf("%q is read as %s, want %s", c.text, got, c.want)
		}
	}
}

func TestZeekDoesNotAllocate(t *testing.T) {
	b := batchOf([]string{"1521911720.865716\tC1\t53\tT\tplain\ta,b\t1.5,-\tT,F"})
	p := newZeek(planOf(zeekFields...), zeekHeaderText)
	size := len(b.Data)
	n := testing.AllocsPerRun(10, func() {
		b.Data = b.Data[:size]
		p.parse(b, 0, b.Recs[0].Value)
	})
	if n != 0 {
		t.Errorf("%v allocations for a record", n)
	}
}

func FuzzZeek(f *testing.F) {
	newParser := func(plan *record.Plan) lineParser { return newZeek(plan, zeekHeaderText) }
	fuzzText(f, newParser, zeekFields, "1.5\tC1\t53\tT\tx\\x41\ta,b\t1.5,-\tT,F", "-\t-\t-\t-\t-\t-\t-\t-", "#close\tx",
		"\t(empty)\\\t\\x\\\t\t\\xg0\t,\t,,\tX")
}

func BenchmarkZeek(b *testing.B) {
	b.ReportAllocs()
	batch := batchOf([]string{"1521911720.865716\tCqKst53mF3det3eDV9\t41772\tF\tise.wrccdc.org\ta,b\t2230.000000,41830.000000\tT"})
	p := newZeek(planOf("ts", "uid", "id.orig_p", "note"), zeekHeaderText)
	size := len(batch.Data)
	for b.Loop() {
		batch.Data = batch.Data[:size]
		p.parse(batch, 0, batch.Recs[0].Value)
	}
}
