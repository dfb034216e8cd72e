package exec_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
)

// TestWaits adds to what waits, and takes of it what is due, in any order: it comes as
// a sorted list would give it.
func TestWaits(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var waits exec.Waits
		var sorted []int64
		for range 300 {
			if due := chance.Int64N(40); chance.IntN(5) < 3 {
				waits.Add(due)
				sorted = append(sorted, due)
				slices.Sort(sorted)
				continue
			}
			now := chance.Int64N(60)
			due, ok := waits.Next(now)
			if want := len(sorted) > 0 && sorted[0] <= now; ok != want || ok && due != sorted[0] {
				t.Fatalf("at %d: got %d, %v of %v", now, due, ok, sorted)
			}
			if ok {
				sorted = sorted[1:]
			}
		}
	}
}

// TestWhatIsDoneIsForgotten gives a handler records that fail twice, and then others
// that fail once, for which the memory of the first ones is used: nothing of those is
// in their letters, and each is there as it was.
func TestWhatIsDoneIsForgotten(t *testing.T) {
	dead := new(got)
	s := open(t, exec.Options{Command: handler("poison"), Dead: dead, Policy: quick(1)})
	var want []string
	for n := range 20 {
		at := strconv.Itoa(n)
		for _, how := range []string{"flaky twice ", "bad "} {
			values := []string{how + at, "key:" + how + at + strings.Repeat("x", 100*n)}
			want = append(want, values...)
			if err := s.Write(batch(0, int64(len(want)), values...).All()); err != nil {
				t.Fatal(err)
			}
			for s.Unfinished() > 0 {
				s.AwaitChange()
			}
		}
	}
	for i, st := range dead.states {
		times := 1
		if strings.Contains(dead.values[i], "twice") {
			times = 2
		}
		if st.Attempts != times || len(st.History) != 1 || st.History[0].Count != times {
			t.Fatalf("the letter of a record that failed %d times says %+v", times, st)
		}
	}
	slices.Sort(want)
	if !slices.Equal(slices.Sorted(slices.Values(dead.values)), want) {
		t.Errorf("the letters are not what was given: %.100q", dead.values)
	}
}

// TestNothingFits gives a handler of lines more records than it may have in hand of
// which none is a line, and one that is: the others are dead letters.
func TestNothingFits(t *testing.T) {
	out, dead := new(got), new(got)
	s := open(t, exec.Options{Command: handler("cat"), Out: out, Dead: dead})
	give(t, s, batch(0, 0, append(slices.Repeat([]string{"two\nlines"}, 5000), "x")...))
	if !slices.Equal(out.all(), []string{"x"}) || len(dead.states) != 5000 {
		t.Errorf("came through: %q, dead letters: %d", out.all(), len(dead.states))
	}
}

// TestRecycled: an entry is not taken for deadly or failed because another was.
func TestRecycled(t *testing.T) {
	if !exec.Recycled() {
		t.Error("something of the entry before is left")
	}
}
