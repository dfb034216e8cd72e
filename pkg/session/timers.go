package session

import (
	"math"

	"github.com/logctl/logctl/pkg/stamp"
)

// timers say when sessions may be over: in steps of time, each of which has a
// list of numbers.
type timers struct {
	step  int64
	steps steps              // that have a list
	lists map[int64][]uint32 // by step
	spare [][]uint32
}

// steps is a heap of numbers of steps, the least one first.
type steps []int64

func (s *steps) push(k int64) {
	h := append(*s, k)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2] > k {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = k
	*s = h
}

func (s *steps) pop() int64 {
	h := *s
	least, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for child := 1; child < len(h); child = 2*i + 1 {
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[child] >= last {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = last
	}
	*s = h
	return least
}

// floor returns the start of the step that t is in.
func (x *timers) floor(t int64) int64 { return stamp.FloorDiv(t, x.step) * x.step }

// add has n returned when time has passed t.
func (x *timers) add(t int64, n uint32) {
	k := stamp.FloorDiv(t, x.step)
	list, ok := x.lists[k]
	if !ok {
		if x.lists == nil {
			x.lists = map[int64][]uint32{}
		}
		x.steps.push(k)
		if i := len(x.spare) - 1; i >= 0 {
			list, x.spare = x.spare[i], x.spare[:i]
		}
	}
	x.lists[k] = append(list, n)
}

// first returns the end of the first step that has numbers: from then on they
// are due. math.MaxInt64 where there are none.
func (x *timers) first() int64 {
	if len(x.steps) == 0 {
		return math.MaxInt64
	}
	return (x.steps[0] + 1) * x.step
}

// take removes the first step and returns its numbers. They are to be given
// back to drop.
func (x *timers) take() []uint32 {
	k := x.steps.pop()
	list := x.lists[k]
	delete(x.lists, k)
	return list
}

// maxSpare bounds the lists that are kept for their memory, and how long they
// are.
const (
	maxSpare = 64
	longList = 1 << 12
)

func (x *timers) drop(list []uint32) {
	if len(x.spare) < maxSpare && cap(list) <= longList {
		x.spare = append(x.spare, list[:0])
	}
}
