package engine

import (
	"slices"
	"sync"
)

// A queue has the batches of a source, in the order in which they were read, until they
// and those before them are parsed: the operator is not woken for others.
type queue struct {
	mu   sync.Mutex
	jobs []*job
}

func (q *queue) add(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
}

// parsed notes that a job is parsed, and passes on those whose turn it is. There is room
// for them.
func (q *queue) parsed(j *job, to chan<- *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.parsed = true
	n := 0
	for ; n < len(q.jobs) && q.jobs[n].parsed; n++ {
		to <- q.jobs[n]
	}
	q.jobs = slices.Delete(q.jobs, 0, n)
}
