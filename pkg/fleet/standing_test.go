package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/record"
)

// What an answer is worth, by what the instances of a group of four partitions say.
func TestStanding(t *testing.T) {
	now := time.Unix(1000, 0)
	at := func(second int64) int64 { return second * 1e9 }
	for name, c := range map[string]struct {
		parts            []state
		silent           bool
		partial, passes  bool
		here, instances  int
		watermark, worth string
	}{
		"whole": {
			parts: []state{{Here: []int32{0, 2}, Watermark: at(900), Lag: 3}, {Here: []int32{1, 3}, Watermark: at(800)}},
			here:  4, instances: 2, watermark: "1970-01-01T00:13:20.000Z",
		},
		"one that has nothing does not answer": {
			parts: []state{{Here: []int32{0, 1, 2, 3}, Watermark: at(900)}}, silent: true,
			here: 4, instances: 1, watermark: "1970-01-01T00:15:00.000Z",
		},
		"one that has something does not answer": {
			parts: []state{{Here: []int32{0, 1}, Watermark: at(900)}}, silent: true, partial: true,
			here: 2, instances: 1, watermark: "1970-01-01T00:15:00.000Z", worth: `instance "x": no answer`,
		},
		"one restores": {
			parts: []state{
				{Here: []int32{0, 1}, Watermark: at(900)},
				{Here: []int32{2}, Restoring: []int32{3}, Watermark: at(900), Progress: "7 entries"},
			},
			partial: true, passes: true, here: 3, instances: 2, watermark: "1970-01-01T00:15:00.000Z",
			worth: "the state of partition 3 is being restored: 7 entries",
		},
		"partitions move": {
			parts:   []state{{Here: []int32{0}, Watermark: at(900)}, {Here: []int32{3}, Watermark: record.NoTime}},
			partial: true, passes: true, here: 2, instances: 2, worth: "no instance has partitions 1, 2 yet",
		},
		"a standby has no time": {
			parts: []state{{Watermark: record.NoTime}, {Here: []int32{0, 1, 2, 3}, Watermark: at(900)}},
			here:  4, instances: 2, watermark: "1970-01-01T00:15:00.000Z",
		},
		"a partition is with two": {
			parts:   []state{{Here: []int32{0, 1}, Watermark: at(900)}, {Here: []int32{1, 2, 3}, Watermark: at(100)}},
			partial: true, here: 2, instances: 1, watermark: "1970-01-01T00:15:00.000Z",
			worth: "partition 1 is with another instance, too",
		},
		"one says what cannot be": {
			parts:   []state{{Here: []int32{0, 1}, Watermark: at(900)}, {Here: []int32{-1, 4}, Watermark: at(100)}},
			partial: true, here: 2, instances: 1, watermark: "1970-01-01T00:15:00.000Z",
			worth: "partition -1 is with another instance, too",
		},
	} {
		s := newStanding(4)
		for i := range c.parts {
			s.add("i", "", &c.parts[i])
		}
		if c.silent {
			s.absent(absence{Instance: "x", Reason: "no answer"})
		}
		s.settle(now)
		if s.Partial != c.partial || s.passes != c.passes || s.here != c.here || s.Instances != c.instances {
			t.Errorf("%s: %+v", name, s)
		}
		if s.Watermark != c.watermark || (s.BehindMS == nil) != (c.watermark == "") {
			t.Errorf("%s: watermark %s, behind %v", name, s.Watermark, s.BehindMS)
		}
		if reasons := s.Reasons(); !strings.Contains(reasons, c.worth) || (reasons == "") == c.partial {
			t.Errorf("%s: reasons %q", name, reasons)
		}
	}
}

func TestLagOfAnswers(t *testing.T) {
	s := newStanding(3)
	for i, lag := range []int64{4, 5} {
		s.add("", "", &state{Here: []int32{int32(i)}, Lag: lag})
	}
	if s.settle(time.Now()); s.Lag == nil || *s.Lag != 9 {
		t.Errorf("lag %v", s.Lag)
	}
	s.add("", "", &state{Here: []int32{2}, Lag: -1})
	s.Lag = nil
	if s.settle(time.Now()); s.Lag != nil {
		t.Errorf("a sum with what is not known is %d", *s.Lag)
	}
}
