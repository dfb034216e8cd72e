package letter_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
)

func TestPattern(t *testing.T) {
	for message, want := range map[string]string{
		"":                                    "",
		"connection refused":                  "connection refused",
		"timeout after 3000ms":                "timeout after #",
		"dial tcp 10.0.0.12:5432: refused":    "dial tcp #: refused",
		"dial tcp [fe80::1ff:fe23]:80: no":    "dial tcp [#]:#: no",
		"user 4711 at 2026-11-24T10:00:00.1Z": "user # at #",
		"id 0b2cf1f6-1f4e-4f0a-8f2e-cafebabecafe: gone": "id #: gone",
		"object deadbeefcafe is locked":                 "object # is locked",
		"a bad face":                                    "a bad face",
		"app-logs/3@17: no":                             "app-logs/#: no",
		"größe 5µs":                                     "größe #",
		"v1.2, v1.3":                                    "#, #",
	} {
		if got := letter.Pattern(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
	if letter.Sign("TIMEOUT", "after 1s") != letter.Sign("TIMEOUT", "after 25s") {
		t.Error("errors that differ in a number have different signatures")
	}
	if letter.Sign("TIMEOUT", "after 1s") == letter.Sign("CRASH", "after 1s") {
		t.Error("errors of two classes have one signature")
	}
}

// source returns a batch of one record with a key and headers.
func source() *record.Batch {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "app", Topic: true, Partition: 2}
	rec := b.Add([]byte("va\x00l\xff"))
	rec.Offset, rec.Stamp, rec.Flags = 77, 1_795_514_400_123_000_000, record.HasKey
	rec.Key = record.AppendSpan(b, "k")
	for _, h := range [][2]string{{"own", "1"}, {"logctl-reason", "stale"}, {"correlation-id", "c7"}} {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h[0]), Value: record.AppendSpan(b, h[1])})
	}
	rec.Headers = record.Span{Len: 3}
	return b
}

func TestStateSurvivesItsHeaders(t *testing.T) {
	b := source()
	s := letter.State{Origin: letter.OriginOf(b, 0), Correlation: "c7"}
	const second = 1_000_000_000
	first := int64(1_795_514_400_000_000_000)
	if n := s.Failed("transient", "TIMEOUT", "no answer in 5s", first); n != 1 {
		t.Errorf("the first failure is counted %d", n)
	}
	s.Failed("permanent", "EXIT", "exit status 3", first+second)
	if n := s.Failed("transient", "TIMEOUT", "no answer in 9s", first+2*second); n != 2 {
		t.Errorf("the same error is counted %d the second time", n)
	}
	s.Due = first + 5*second
	to := record.NewBatch()
	to.Origin = &record.Origin{Source: "retry", Topic: true}
	letter.Append(to, b, 0, &s)
	got, ok := letter.Read(to, 0)
	if d := cmp.Diff(s, got); !ok || d != "" {
		t.Errorf("a letter? %v (-want +got)\n%s", ok, d)
	}
	if string(to.Value(0)) != "va\x00l\xff" || string(to.Bytes(to.Recs[0].Key)) != "k" {
		t.Errorf("value %q, key %q", to.Value(0), to.Bytes(to.Recs[0].Key))
	}
	if got.ID() != "app/2@77" || got.Attempts != 3 || len(got.History) != 2 {
		t.Errorf("got %+v", got)
	}
	// As it was before it failed.
	plain := record.NewBatch()
	rec := letter.AppendPlain(plain, to, 0)
	if rec.Headers.Len != 2 || string(plain.Bytes(plain.Headers[0].Key)) != "own" {
		t.Errorf("%d headers are left, want own and correlation-id", rec.Headers.Len)
	}
}

// TestNothingIsSaidTwice reads back the states of records that met errors in any order:
// what the other headers say is not in the history.
func TestNothingIsSaidTwice(t *testing.T) {
	for met, listed := range map[string]int{
		"a": 0, "aaa": 0, "ab": 1, "aab": 1, "abb": 2, "aba": 2, "abc": 2, "abcc": 3, "abcdefgh": 7, "abcdefghijkl": 7,
	} {
		b := source()
		s := letter.Begin(b, 0)
		for i, c := range met {
			s.Failed("transient", strings.ToUpper(string(c)), "no answer in 5s", 1_795_514_400_000_000_000+int64(i)*1_000_000)
		}
		to := record.NewBatch()
		letter.Append(to, b, 0, &s)
		n := 0
		for _, h := range to.Headers {
			if string(to.Bytes(h.Key)) == letter.History {
				n = strings.Count(string(to.Bytes(h.Value)), `"signature"`)
			}
		}
		if n != listed {
			t.Errorf("%s: %d errors are in the history, want %d", met, n, listed)
		}
		got, ok := letter.Read(to, 0)
		if d := cmp.Diff(s, got); !ok || d != "" {
			t.Errorf("%s: a letter? %v (-want +got)\n%s", met, ok, d)
		}
		if want, n := strings.Count(met, "a")+1, got.Failed("transient", "A", "no answer in 1s", 0); len(met) < 8 && n != want {
			t.Errorf("%s: the same error is counted %d, want %d", met, n, want)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var s letter.State
	for _, c := range "abcdefghijkl" {
		s.Failed("transient", string(c), strings.Repeat("é", 1000), 1)
	}
	if len(s.History) != 8 || s.History[7].Class != "l" || s.Attempts != 12 {
		t.Errorf("%d errors are remembered, the last %+v", len(s.History), s.History[len(s.History)-1])
	}
	if !utf8.ValidString(s.Reason) || len(s.Reason) > 520 {
		t.Errorf("reason of %d bytes", len(s.Reason))
	}
}

// TestHistoryOfOthersIsBounded: what stands in a header may be longer than what is kept.
func TestHistoryOfOthersIsBounded(t *testing.T) {
	b := source()
	one := `{"signature":"0f","count":1,"class":"old"},`
	letter.SetHeader(b, &b.Recs[0], letter.Attempts, "9")
	letter.SetHeader(b, &b.Recs[0], letter.History, "["+strings.Repeat(one, 8)+`{"signature":"1f","count":1,"class":"new"}]`)
	letter.SetHeader(b, &b.Recs[0], letter.Truncated, "true")
	s, ok := letter.Read(b, 0)
	if !ok || len(s.History) != 8 || s.History[7].Class != "new" || !s.Truncated {
		t.Errorf("a letter? %v, %+v", ok, s)
	}
}

// FuzzHeaders reads a state from headers that anybody may have written, and
// checks that what it becomes is written and read back alike.
func FuzzHeaders(f *testing.F) {
	f.Add("logctl-attempts", "3", "logctl-history", `[{"signature":"0f","count":2,"message":"x"}]`)
	f.Add("logctl-attempts", "-1", "logctl-first-failure", "yesterday")
	f.Add("logctl-reason", "\xff", "logctl-partition", "99999999999")
	f.Add("logctl-due", "9999-12-31T00:00:00Z", "logctl-offset", "x")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		b := record.NewBatch()
		rec := b.Add([]byte("x"))
		for _, h := range [][2]string{{k1, v1}, {k2, v2}} {
			b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h[0]), Value: record.AppendSpan(b, h[1])})
		}
		rec.Headers = record.Span{Len: 2}
		s, _ := letter.Read(b, 0)
		if s.Attempts < 0 || len(s.History) > 8 {
			t.Fatalf("got %+v", s)
		}
		s.Failed("transient", "X", "again", 1_795_514_400_000_000_000)
		to := record.NewBatch()
		letter.Append(to, b, 0, &s)
		back, ok := letter.Read(to, 0)
		if !ok || back.Attempts != s.Attempts || back.Signature != s.Signature || len(back.History) != len(s.History) {
			t.Fatalf("wrote %+v\n read %+v", s, back)
		}
	})
}

// BenchmarkLetter is what a record costs that is refused once: its state, and its
// letter.
func BenchmarkLetter(b *testing.B) {
	from := record.NewBatch()
	from.Origin = &record.Origin{Source: "app.log"}
	from.Add([]byte(strings.Repeat("x", 250)))
	to := record.NewBatch()
	b.ReportAllocs()
	for b.Loop() {
		s := letter.Begin(from, 0)
		s.Failed("permanent", "REFUSED", "no such column: 17", 1_795_514_400_123_000_000)
		to.Reuse()
		letter.Append(to, from, 0, &s)
	}
}

// TestTheSameErrorAllocatesNothing notes an error that is known, and another one first.
func TestTheSameErrorAllocatesNothing(t *testing.T) {
	var s letter.State
	s.Failed("permanent", "EXIT", "exit status 3", 1)
	s.Failed("transient", "TIMEOUT", "no answer", 2)
	n := testing.AllocsPerRun(100, func() {
		s.Failed("permanent", "EXIT", "exit status 3", 3)
		s.Failed("transient", "TIMEOUT", "no answer", 4)
	})
	if n != 0 || len(s.History) != 2 || s.History[0].Class != "EXIT" || s.History[1].Class != "TIMEOUT" {
		t.Errorf("%v allocations, history %+v", n, s.History)
	}
}
