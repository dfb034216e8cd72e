package session

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A tree says of sessions what a sorted list says of them, whatever was searched before.
func TestTreeIsASortedList(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		var (
			ss   sessions
			root uint32
			list []uint32
		)
		order := func(a, b uint32) int {
			return cmp.Or(cmp.Compare(ss.at(a).start, ss.at(b).start), cmp.Compare(a, b))
		}
		for range 300 {
			switch k := r.IntN(8); {
			case k < 2: // some of equal start
				n := ss.add()
				ss.at(n).start = r.Int64N(100)
				ss.insert(&root, n)
				list = append(list, n)
				slices.SortFunc(list, order)
			case k == 2 || len(list) == 0:
				n := ss.add()
				if len(list) > 0 {
					ss.at(n).start = ss.at(list[len(list)-1]).start + r.Int64N(2) + 1
				}
				ss.append(&root, n)
				list = append(list, n)
			case k == 3 && seed%2 == 0:
				i := r.IntN(len(list))
				ss.delete(&root, list[i])
				ss.remove(list[i])
				list = slices.Delete(list, i, i+1)
			case k == 4:
				i := r.IntN(len(list))
				before, after := ss.beside(&root, list[i])
				wantSessions(t, list, i, i+1, before, after)
			case k == 5:
				start := r.Int64N(100)
				i := slices.IndexFunc(list, func(n uint32) bool { return ss.at(n).start > start })
				if i < 0 {
					i = len(list)
				}
				before, after := ss.around(&root, start, math.MaxUint32)
				wantSessions(t, list, i, i, before, after)
			case k == 6:
				if last := ss.lastOf(&root); last != list[len(list)-1] {
					t.Fatalf("the last one is %d, want %d", last, list[len(list)-1])
				}
			default:
				var got []uint32
				ss.each(&root, func(n uint32) { got = append(got, n) })
				if !slices.Equal(got, list) {
					t.Fatalf("each gives %d, want %d", got, list)
				}
			}
		}
	}
}

// wantSessions compares the sessions in front of i and from j on with what was found.
func wantSessions(t *testing.T, list []uint32, i, j int, before, after uint32) {
	t.Helper()
	var first, second uint32
	if i > 0 {
		first = list[i-1]
	}
	if j < len(list) {
		second = list[j]
	}
	if before != first || after != second {
		t.Fatalf("found %d and %d, want %d and %d", before, after, first, second)
	}
}
