package session

import (
	"container/heap"
	"math"
)

// timers say when sessions may be over: in steps of time, each of which has a
// list of numbers.
type timers struct {
	step  int64
	steps steps              // that have a list
	lists map[int64][]uint32 // by step
	spare [][]uint32
}

// steps is a heap of numbers of steps.
type steps []int64

func (s steps) Len() int           { return len(s) }
func (s steps) Less(i, j int) bool { return s[i] < s[j] }
func (s steps) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *steps) Push(x any)        { *s = append(*s, x.(int64)) } //nolint:forcetypeassert // only add pushes
func (s *steps) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// add has n returned when time has passed t.
func (x *timers) add(t int64, n uint32) {
	k := floorDiv(t, x.step)
	list, ok := x.lists[k]
	if !ok {
		if x.lists == nil {
			x.lists = map[int64][]uint32{}
		}
		heap.Push(&x.steps, k)
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
	k, _ := heap.Pop(&x.steps).(int64)
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

// floorDiv divides, rounding towards the past.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
