package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestQueueKeepsTheOrder has jobs parsed in any order: they arrive in that in which they
// were read, each as soon as it and those before it are parsed.
func TestQueueKeepsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var q queue
		jobs := make([]*job, 1+r.IntN(12))
		arrivals := make(chan *job, len(jobs))
		var underway []int
		read, arrived := 0, 0
		for arrived < len(jobs) {
			if read < len(jobs) && (len(underway) == 0 || r.IntN(2) == 0) {
				jobs[read] = &job{source: read}
				q.add(jobs[read])
				underway = append(underway, read)
				read++
				continue
			}
			i := r.IntN(len(underway))
			j := underway[i]
			underway = slices.Delete(underway, i, i+1)
			q.parsed(jobs[j], arrivals)
			ready := read
			if len(underway) > 0 {
				ready = slices.Min(underway)
			}
			for ; arrived < ready; arrived++ {
				select {
				case got := <-arrivals:
					if got != jobs[arrived] {
						t.Fatalf("job %d arrives, want %d", got.source, arrived)
					}
				default:
					t.Fatalf("job %d is parsed, as are all before it, and has not arrived", arrived)
				}
			}
			if len(arrivals) > 0 {
				t.Fatalf("job %d arrives before its turn", (<-arrivals).source)
			}
		}
	}
}
