package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// A fact is a record as a naive comparison knows it; id "" is none.
type fact struct {
	partition int32
	offset    int64
	id        string
}

// facts returns them as batches of their partitions, with the ids in column 0.
func facts(list []fact) []*record.Batch {
	var batches []*record.Batch
	for _, f := range list {
		last := len(batches) - 1
		if last < 0 || batches[last].Origin.Partition != f.partition {
			o := &record.Origin{Source: "t", Topic: true, Partition: f.partition}
			batches = append(batches, &record.Batch{Origin: o})
			last++
		}
		value := `{"x":1}`
		if f.id != "" {
			value = fmt.Sprintf(`{"id":"%s","x":1}`, f.id)
		}
		batches[last].Add([]byte(value)).Offset = f.offset
	}
	for _, b := range batches {
		col := b.Col(0)
		for i := range b.Recs {
			if v := b.Recs[i].Value; v.Len > 8 {
				col[i] = record.NewValue(record.String, int(v.Off)+7, int(v.Len)-15)
			}
		}
	}
	return batches
}

// randomFacts returns records of three partitions and which of them have rows; more
// rows than records stand behind the others.
func randomFacts(rnd *rand.Rand) (records, rows []fact) {
	for p := range int32(3) {
		for o := range int64(rnd.IntN(400)) {
			f := fact{partition: p, offset: o}
			if rnd.IntN(10) > 0 {
				f.id = fmt.Sprintf("id-%d", rnd.IntN(600))
			}
			kind := rnd.IntN(20)
			if kind != 0 {
				records = append(records, f)
			}
			if kind != 1 {
				rows = append(rows, f)
			}
		}
	}
	return records, rows
}

func TestComparisonIsThatOfSets(t *testing.T) {
	for seed := range uint64(proof.Some(4)) {
		for _, field := range []string{"", "id"} {
			t.Run(fmt.Sprintf("%s%d", field, seed), func(t *testing.T) {
				records, rows := randomFacts(rand.New(rand.NewPCG(seed, 0)))
				records = append(records, fact{0, 1000, "last"})
				rows = append(rows, fact{0, 1000, "last"})
				path := filepath.Join(t.TempDir(), "db")
				writeAll(t, openSink(t, path, store.SinkOptions{}), facts(rows)...)
				c := compared(t, path, field, facts(records))
				if d := cmp.Diff(naive(records, rows, field), found(t, c)); d != "" {
					t.Errorf("-naive +got\n%s", d)
				}
				checkLacks(t, c)
			})
		}
	}
}

func compared(t *testing.T, path, field string, records []*record.Batch) *store.Comparison {
	t.Helper()
	c, err := store.OpenComparison(t.Context(), path, "", field, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var sink stream.Sink = c
	for _, b := range records {
		if err := sink.Write(b.All()); err != nil {
			t.Fatal(err)
		}
	}
	var spans []store.Span
	for p := range int32(3) {
		spans = append(spans, store.Span{Source: "t", Partition: p, To: 2000})
	}
	for range 2 { // a second time the answer is the same
		if _, err := c.Compare(t.Context(), spans); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// found returns the names of what differs, sorted.
func found(t *testing.T, c *store.Comparison) []string {
	t.Helper()
	var list []string
	for d, err := range c.Differences(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%d/%d", d.Partition, d.Offset)
		if d.ID != nil && d.Kind != store.Surplus {
			name = fmt.Sprint(d.ID)
		}
		list = append(list, fmt.Sprintf("%s %s %d", d.Kind, name, d.Rows))
	}
	slices.Sort(list)
	return list
}

// naive compares with two maps.
func naive(records, rows []fact, field string) []string {
	name := func(f fact) string {
		if field == "" {
			return fmt.Sprintf("%d/%d", f.partition, f.offset)
		}
		return f.id
	}
	count := func(list []fact) map[string]int {
		n := map[string]int{}
		for _, f := range list {
			if name(f) != "" {
				n[name(f)]++
			}
		}
		return n
	}
	seen, have := count(records), count(rows)
	var list []string
	for k := range seen {
		if have[k] == 0 {
			list = append(list, fmt.Sprintf("missing %s 0", k))
		}
	}
	for k, n := range have {
		if n > 1 {
			list = append(list, fmt.Sprintf("duplicate %s %d", k, n))
		}
	}
	for _, f := range rows {
		if k := name(f); k != "" && seen[k] == 0 {
			list = append(list, fmt.Sprintf("surplus %d/%d 1", f.partition, f.offset))
		}
	}
	slices.Sort(list)
	return list
}

// checkLacks checks that the places of missing records are found in ranges.
func checkLacks(t *testing.T, c *store.Comparison) {
	t.Helper()
	want := map[int32][]int64{}
	for d, err := range c.Differences(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind == store.Missing {
			want[int32(d.Partition)] = append(want[int32(d.Partition)], d.Offset)
		}
	}
	for p := range int32(3) {
		var got []int64
		for lo := int64(0); lo < 2000; lo += 7 {
			part, err := c.Lacks(t.Context(), "t", p, lo, lo+6)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		if d := cmp.Diff(want[p], got); d != "" {
			t.Errorf("partition %d: -want +got\n%s", p, d)
		}
	}
}
