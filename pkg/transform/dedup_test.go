package transform_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/transform"
)

// kept counts what an operator hands on.
type kept struct{ values []string }

func (k *kept) Batch() (*record.Batch, error) { return record.NewBatch(), nil }

func (k *kept) Emit(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			k.values = append(k.values, string(rows.Value(i)))
		}
	}
	return nil
}

// TestDedup compares with a naive loop over all that was seen.
func TestDedup(t *testing.T) {
	const ttl = 5 * time.Minute
	plan := record.NewPlan()
	once := transform.NewOnce([]string{"id", "kind"}, ttl, plan)
	dec, err := codec.New(codec.Options{Format: "ndjson", MaxRecord: 1000})
	if err != nil {
		t.Fatal(err)
	}
	parser := dec.NewParser(plan)
	dice := rand.New(rand.NewPCG(1, 2))
	d := transform.NewDedup(once)
	got, want := new(kept), []string{}
	last := map[string]time.Duration{}
	at := time.Duration(0)
	for range 3000 {
		at += time.Duration(dice.IntN(4000)) * time.Millisecond
		b := record.NewBatch()
		b.Origin = &record.Origin{Source: "t", Topic: true, Format: "ndjson"}
		key := fmt.Sprintf(`"id":%d,"kind":"%d"`, dice.IntN(200), dice.IntN(2))
		value := fmt.Sprintf(`{%s,"n":%d}`, key, at)
		if dice.IntN(20) == 0 {
			key, value = "", fmt.Sprintf(`{"n":%d}`, at) // like no other
		}
		rec := b.Add([]byte(value))
		rec.Stamp = int64(at)
		parser.Parse(b)
		if err := d.Process(b.All(), got); err != nil {
			t.Fatal(err)
		}
		if seen, ok := last[key]; ok && key != "" && at-seen <= ttl {
			continue
		}
		last[key] = at
		want = append(want, value)
	}
	if fmt.Sprint(got.values) != fmt.Sprint(want) || d.Dropped() != int64(3000-len(want)) {
		t.Errorf("%d records are kept, want %d; %d dropped", len(got.values), len(want), d.Dropped())
	}
}
