package api

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/session"
)

// TestPages: however sessions are shared out over instances, pages show each of them
// once, the last one first, and none that ended before the hours that are asked for.
func TestPages(t *testing.T) {
	for seed := range uint64(20) {
		testPages(t, rand.New(rand.NewPCG(seed, 0)))
	}
}

func testPages(t *testing.T, chance *rand.Rand) {
	t.Helper()
	const sessions, instances, limit, hours = 50, 3, 7, 20
	ends := chance.Perm(sessions) // hours
	knows := make([]pastSessions, instances)
	for _, h := range ends {
		of := &knows[chance.IntN(instances)]
		end := int64(h) * int64(time.Hour)
		of.Newest = max(of.Newest, end)
		of.List = append(of.List, session.Past{End: end, Row: json.RawMessage(strconv.Itoa(h))})
	}
	for _, c := range []struct{ hours, least int }{{0, 0}, {hours, sessions - 1 - hours}} {
		var got []string
		for number := range sessions {
			p := page{number: number, limit: limit, hours: c.hours}
			said := make([]pastSessions, instances)
			for i, of := range knows { // each tells as many as the page may need
				said[i] = pastSessions{of.Newest, session.Latest((number+1)*limit, of.List)}
			}
			rows := p.show(said, nil).Sessions
			if len(rows) > limit {
				t.Fatalf("page %d has %d sessions, want %d at most", number, len(rows), limit)
			}
			for _, row := range rows {
				got = append(got, string(row))
			}
		}
		var want []string
		for h := c.least; h < sessions; h++ {
			want = append(want, strconv.Itoa(h))
		}
		slices.Reverse(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of %d hours (-want +got):\n%s", c.hours, diff)
		}
	}
}
