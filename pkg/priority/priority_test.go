package priority_test

import (
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/priority"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

const second = int64(time.Second)

// queues are what waits of each class: the stamps of its records, in order.
type queues [][]int64

func (q queues) waiting() []stream.Waiting {
	w := make([]stream.Waiting, len(q))
	for i, stamps := range q {
		if len(stamps) > 0 {
			w[i] = stream.Waiting{Records: len(stamps), Since: stamps[0]}
		}
	}
	return w
}

// take has s choose at a time, takes up to most of the records, and returns the
// class.
func (q queues) take(s *priority.Scheduler, now int64, most int) int {
	i, n := s.Choose(now, q.waiting())
	if i < 0 {
		return i
	}
	n = min(n, most, len(q[i]))
	b := record.NewBatch()
	for _, at := range q[i][:n] {
		b.Add(nil).Stamp = at
	}
	s.Took(now, i, b.All())
	q[i] = q[i][n:]
	return i
}

func newScheduler(t *testing.T, mode, promote string, topics ...string) *priority.Scheduler {
	t.Helper()
	classes, err := priority.Parse(mode, topics)
	if err == nil && promote != "" {
		err = priority.SetPromote(classes, strings.Split(promote, ","), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return priority.New(classes)
}

func TestStrictTakesTheFirstClassThatHasSomething(t *testing.T) {
	s := newScheduler(t, "strict", "", "critical", "normal", "low")
	q := queues{{5}, {1, 1}, {1}}
	var got []int
	for range 5 {
		got = append(got, q.take(s, 10, 1))
	}
	for i, want := range []int{0, 1, 1, 2, -1} {
		if got[i] != want {
			t.Fatalf("took %v", got)
		}
	}
}

// What is known to be on its way of a more urgent class comes first, for a second; what
// has waited for too long does not wait for that.
func TestAwaitedRecordsComeFirst(t *testing.T) {
	waiting := []stream.Waiting{{Awaited: 100 * second}, {Records: 1, Since: 99 * second}}
	for _, c := range []struct {
		mode, promote string
		now           int64
		want          int
	}{
		{"strict", "", 100 * second, -1},
		{"strict", "", 101*second - 1, -1},
		{"strict", "", 101 * second, 1},
		{"strict", "low=1s", 100 * second, 1},
		{"weighted=9:1", "", 100 * second, 1},
	} {
		s := newScheduler(t, c.mode, c.promote, "critical", "low")
		for range 2 {
			if got, _ := s.Choose(c.now, waiting); got != c.want {
				t.Errorf("%s, promote %q, at %d: took class %d, want %d", c.mode, c.promote, c.now, got, c.want)
			}
		}
	}
	s := newScheduler(t, "strict", "", "critical", "low")
	waiting[0], waiting[1] = waiting[1], waiting[0]
	if got, _ := s.Choose(100*second, waiting); got != 0 {
		t.Errorf("took class %d while less urgent records are awaited", got)
	}
}

func TestWeightsAreShares(t *testing.T) {
	s := newScheduler(t, "weighted=8:4:2:1", "", "a", "b", "c", "d")
	q := make(queues, 4)
	for i := range q {
		q[i] = make([]int64, 200_000)
	}
	counts := make([]int, 4)
	for range 15_000 {
		before := len(q[0]) + len(q[1]) + len(q[2]) + len(q[3])
		i := q.take(s, 1, 7)
		counts[i] += before - len(q[0]) - len(q[1]) - len(q[2]) - len(q[3])
	}
	for i, weight := range []int{8, 4, 2, 1} {
		want := 7 * 1000 * weight
		if d := counts[i] - want; d < -8*7 || d > 8*7 {
			t.Errorf("class %d got %d records of %v, want about %d", i, counts[i], counts, want)
		}
	}
}

// A class that was silent gets its share, not what it has missed.
func TestSilenceSavesUpNothing(t *testing.T) {
	s := newScheduler(t, "weighted=1:1", "", "a", "b")
	q := queues{make([]int64, 3000), nil}
	for range 1000 {
		q.take(s, 1, 1)
	}
	q[1] = make([]int64, 3000)
	n := 0
	for range 100 {
		n += q.take(s, 1, 1)
	}
	if n < 49 || n > 51 {
		t.Errorf("after a silence a class of half the weight got %d of 100", n)
	}
}

// Under endless critical load, every low record is taken within its promotion
// time, as long as there is room for it in half the turns.
func TestNothingStarves(t *testing.T) {
	for _, mode := range []string{"strict", "weighted=1000:1:1"} {
		s := newScheduler(t, mode, "normal=30s,low=120s", "critical", "normal", "low")
		q := make(queues, 3)
		promote := []int64{0, 30 * second, 120 * second}
		var worst [3]int64
		taken := make([]int, 3)
		for tick := range int64(6000) { // of 100 ms, ten minutes: one record can be taken in each
			now := 1_000_000*second + tick*second/10
			q[0] = append(q[0], now)
			if tick%40 == 0 {
				q[1], q[2] = append(q[1], now), append(q[2], now)
			}
			before := q.waiting()
			i := q.take(s, now, 1)
			taken[i]++
			worst[i] = max(worst[i], now-before[i].Since)
		}
		for i := 1; i < 3; i++ {
			if worst[i] > promote[i] || taken[i] < 100 {
				t.Errorf("%s: class %d waited up to %s, want at most %s; %d taken", mode, i, time.Duration(worst[i]),
					time.Duration(promote[i]), taken[i])
			}
		}
	}
}

// However large the backlog of records that are past their promotion, every second
// turn is that of what is critical.
func TestPromotedTakeTurns(t *testing.T) {
	s := newScheduler(t, "strict", "low=10s", "critical", "low")
	q := queues{nil, make([]int64, 1000)}
	for now := 100 * second; now < 200*second; now += second {
		q[0] = append(q[0], now)
		a, b := q.take(s, now, 1), q.take(s, now, 1)
		if a == b {
			t.Fatalf("two turns after each other for class %d", a)
		}
	}
}

// TestLongestOverdueIsPromoted: of several that are due for their age.
func TestLongestOverdueIsPromoted(t *testing.T) {
	s := newScheduler(t, "strict", "high=10s,low=10s", "critical", "high", "low")
	waiting := []stream.Waiting{{Records: 1, Since: 100 * second}, {Records: 1, Since: 89 * second}, {Records: 1, Since: 80 * second}}
	if got, _ := s.Choose(100*second, waiting); got != 2 {
		t.Errorf("took class %d, want the one that is over its time by most", got)
	}
	waiting[1], waiting[2] = waiting[2], waiting[1]
	s = newScheduler(t, "strict", "high=10s,low=10s", "critical", "high", "low")
	if got, _ := s.Choose(100*second, waiting); got != 1 {
		t.Errorf("took class %d, want the one that is over its time by most", got)
	}
}

func TestMissesAreSaidNowAndThen(t *testing.T) {
	classes, err := priority.Parse("strict", []string{"critical-logs", "low-logs"})
	if err == nil {
		err = priority.SetSLO(classes, []string{"critical=800ms"})
	}
	if err != nil {
		t.Fatal(err)
	}
	s := priority.New(classes)
	var said []string
	s.Note = func(text string) { said = append(said, text) }
	base := 1000 * second
	for i, late := range []int64{0, 900, 1000, 2000, 100} {
		now := base + int64(i)*second
		q := queues{{now - late*second/1000}, {now - 100*second}}
		q.take(s, now, 1)
		q.take(s, now, 1)
	}
	q := queues{{base + 5*second}, nil}
	q.take(s, base+7*second, 1)
	want := []string{
		"critical-logs: 1 records took longer than --slo 800ms, up to 900 ms",
		"critical-logs: 3 records took longer than --slo 800ms, up to 2.0 s",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("said %q, want %q", said, want)
	}
	f := s.Figures()
	if f[0].Taken != 6 || f[0].Missed != 4 || f[1].Missed != 0 || f[1].Taken != 5 || f[1].P50 < 99 || f[1].P50 > 101 {
		t.Errorf("figures %+v", f)
	}
	if got := s.Summary(2 * time.Second); !strings.Contains(got, "critical-logs 6 (3/s, p50 ") ||
		!strings.Contains(got, "missed --slo 4") {
		t.Errorf("summary %q", got)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for _, mode := range []string{
		"", "strikt", "weighted", "weighted=", "weighted=1", "weighted=1:x", "weighted=0:1", "weighted=1:1001",
	} {
		if _, err := priority.Parse(mode, []string{"a", "b"}); fault.Status(err) != fault.Usage {
			t.Errorf("mode %q: %v", mode, err)
		}
	}
	classes, _ := priority.Parse("strict", []string{"app-low", "app-high", "low.old"})
	for _, item := range []string{"low=1s", "app=1s", "none=1s", "high", "high=0", "high=-1s", "high=fast"} {
		if err := priority.SetPromote(classes, []string{item}, time.Minute); err == nil {
			t.Errorf("--promote %s is taken", item)
		}
	}
	if err := priority.SetPromote(classes, []string{"high=5s", "low.old=7s"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if classes[0].Promote != 0 || classes[1].Promote != 5*time.Second || classes[2].Promote != 7*time.Second {
		t.Errorf("%+v", classes)
	}
}
