package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// A part is what one instance says to a question of another one.
type part[T any] struct {
	state
	Said T `json:"said"`
}

// A state says which partitions of the state an instance has, and how current it
// is.
type state struct {
	Here      []int32 `json:"here"`
	Restoring []int32 `json:"restoring"`
	Progress  string  `json:"progress"`  // of restoring
	Watermark int64   `json:"watermark"` // that all partitions here have reached; ns since 1970
	Lag       int64   `json:"lag"`       // records that are not read yet; -1: not known
}

func stateOf(v engine.View) state {
	s := state{Watermark: v.Watermark, Restoring: partitionsOf(slices.Values(v.Restoring))}
	for task := range v.Operators {
		s.Here = append(s.Here, task.Partition)
	}
	return s
}

func progressOf(s *engine.Stats) string {
	n := s.Restored.Load()
	if n == 0 {
		return "nothing has come yet"
	}
	return fmt.Sprintf("%s entries, %s so far", human.Count(n), human.Bytes(s.RestoredBytes.Load()))
}

// A Standing says how current and how complete an answer is. Every answer has it.
type Standing struct {
	Watermark string    `json:"watermark,omitempty"`   // event time that all partitions have reached
	BehindMS  *float64  `json:"behind_ms,omitempty"`   // how far that is behind the wall clock
	Lag       *int64    `json:"lag_records,omitempty"` // records that are not read yet
	Instances int       `json:"instances"`             // that have answered
	Partial   bool      `json:"partial,omitempty"`     // not all that there is is in the answer
	Missing   []absence `json:"missing,omitempty"`     // why

	owners    []bool // of each partition, whether one has answered that has it
	here      int    // how many of them
	restoring bool   // some are being restored
	passes    bool   // it will soon be whole
	lag       int64
	watermark int64
}

// An absence is why some of the state is not in an answer.
type absence struct {
	Instance string `json:"instance,omitempty"`
	Address  string `json:"address,omitempty"`
	Reason   string `json:"reason"`
}

func newStanding(partitions int) *Standing {
	return &Standing{owners: make([]bool, partitions), watermark: record.NoTime}
}

// add adds what an instance knows; false where it counts for nothing: partitions of
// its own are with another one, too, since they have just moved there.
func (s *Standing) add(name, address string, x *state) bool {
	if len(x.Restoring) > 0 {
		s.restoring = true
		reason := fmt.Sprintf("the state of %s is being restored: %s", s.named(x.Restoring), x.Progress)
		s.absent(absence{name, address, reason})
	}
	for _, n := range x.Here {
		if n < 0 || int(n) >= len(s.owners) || s.owners[n] {
			s.absent(absence{name, address, fmt.Sprintf("%s is with another instance, too", s.named([]int32{n}))})
			return false
		}
	}
	for _, n := range x.Here {
		s.owners[n] = true
	}
	switch {
	case len(x.Here) == 0: // its time says nothing
	case s.here == 0:
		s.watermark = x.Watermark
	default:
		s.watermark = min(s.watermark, x.Watermark)
	}
	s.here += len(x.Here)
	s.Instances++
	if x.Lag < 0 {
		s.lag = -1
	} else if s.lag >= 0 {
		s.lag += x.Lag
	}
	return true
}

// absent notes why something may be missing.
func (s *Standing) absent(a absence) { s.Missing = append(s.Missing, a) }

// settle makes the account when all have been asked.
func (s *Standing) settle(now time.Time) {
	if s.watermark != record.NoTime {
		behind := float64(now.UnixNano()-s.watermark) / 1e6
		s.Watermark, s.BehindMS = string(stamp.AppendRFC3339(nil, s.watermark)), &behind
	}
	if s.lag >= 0 {
		s.Lag = &s.lag
	}
	if s.here == len(s.owners) {
		s.Missing = nil // who does not answer has nothing
		return
	}
	s.Partial = true
	s.passes = s.restoring
	if len(s.Missing) == 0 {
		var free []int32
		for n, owned := range s.owners {
			if !owned {
				free = append(free, int32(n))
			}
		}
		s.passes = true
		s.absent(absence{Reason: "no instance has " + s.named(free) + " yet"})
	}
}

// Reasons says why an answer is not complete; "" where it is.
func (s *Standing) Reasons() string {
	var list []string
	for _, a := range s.Missing {
		text := a.Reason
		if a.Instance != "" {
			text = "instance " + strconv.Quote(a.Instance) + ": " + text
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// named names partitions.
func (s *Standing) named(list []int32) string {
	if len(s.owners) == 1 {
		return "the run"
	}
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(int(n))
	}
	if len(list) == 1 {
		return "partition " + texts[0]
	}
	return "partitions " + strings.Join(texts, ", ")
}

func partitionsOf(tasks func(func(stream.Task) bool)) (list []int32) {
	for t := range tasks {
		list = append(list, t.Partition)
	}
	slices.Sort(list)
	return list
}
