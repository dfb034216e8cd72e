package exec_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// hangs is a handler that starts at once, and hangs at what is to hang.
const hangs = `while read -r x; do case $x in hanging*) sleep 100;; esac; echo "$x"; done`

// hangsOn is one that hangs until its input ends, and then ends at once.
const hangsOn = `while read -r x; do case $x in hanging*) cat >/dev/null; exit;; esac; echo "$x"; done`

// TestDeadlyRecordsAreTriedAlone has a handler hang at one record, each time, while
// others keep coming. After it was found out, each attempt costs one handler: none
// has others in hand that would have to be tried one by one.
func TestDeadlyRecordsAreTriedAlone(t *testing.T) {
	t.Parallel()
	out, dead := new(got), new(got)
	s := open(t, exec.Options{
		Command: hangsOn, Out: out, Dead: dead, Timeout: 2 * time.Second,
		Policy: retry.Policy{Most: 2, Backoff: limit.Backoff{Base: 600 * time.Millisecond, Most: 600 * time.Millisecond}},
	})
	if err := s.Write(batch(0, 0, "a", "hanging", "b").All()); err != nil {
		t.Fatal(err)
	}
	n := int64(3)
	for end := time.Now().Add(time.Minute); s.Stats.Dead.Load() == 0 && time.Now().Before(end); n += 20 {
		if err := s.Write(batch(0, n, numbered("line ", 20)...).All()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	finish(t, s)
	if len(out.all()) != int(n)-1 || len(dead.states) != 1 || dead.states[0].Attempts != 3 {
		t.Fatalf("%d of %d records came through, dead letters %+v", len(out.all()), n, dead.states)
	}
	// One had others in hand, three it alone, and the last one outlives it.
	if n := s.Stats.Started.Load(); n > 6 {
		t.Errorf("%d handlers were started for three attempts, want 5 (6 on a machine that hangs itself)", n)
	}
}

// TestDeadlyRecordsComeBackAlone: a record that handlers died of is tried alone also
// when it comes back from the retry topic, in front of others that are due with it.
func TestDeadlyRecordsComeBackAlone(t *testing.T) {
	out, later := new(got), new(got)
	s := open(t, exec.Options{
		Command: handler("poison"), Out: out, Later: later, RetryTopic: "retry",
		Policy: retry.Policy{Most: 9, Backoff: limit.Backoff{Base: time.Hour, Most: time.Hour}},
	})
	back := record.NewBatch()
	back.Origin = &record.Origin{Source: "retry", Topic: true}
	due := time.Now().Add(200 * time.Millisecond).UnixNano()
	from := batch(0, 0, "a", "b", "deadly", "c", "d")
	for i := range from.Recs {
		st := letter.Begin(from, i)
		st.Failed(retry.Transient, retry.Asked, "busy", due)
		if i == 2 {
			st.Failed(retry.Ambiguous, retry.Crash, "the handler ended", due)
		}
		st.Due = due + int64(i)
		letter.Append(back, from, i, &st)
	}
	give(t, s, back)
	want := []string{"a", "b", "c", "d"} // in any order: they are due in the same millisecond
	if got := slices.Sorted(slices.Values(out.all())); !slices.Equal(got, want) || len(later.states) != 1 {
		t.Errorf("handled %q, want %q; to be tried later: %+v", got, want, later.states)
	}
	if n := s.Stats.Started.Load(); n != 2 {
		t.Errorf("%d handlers were started, want 2: one died, of one record alone", n)
	}
}

// TestHangingHandlersAreNotSlowed has handlers hang at one record after another. That
// takes as long as they are given, and no pause that grows: what comes behind goes on.
func TestHangingHandlersAreNotSlowed(t *testing.T) {
	t.Parallel()
	out, dead := new(got), new(got)
	s := open(t, exec.Options{Command: hangs, Out: out, Dead: dead, Timeout: 250 * time.Millisecond})
	var values []string
	for i := range 20 {
		values = append(values, fmt.Sprint("hanging ", i))
	}
	healthy := numbered("line ", 20)
	began := time.Now()
	give(t, s, batch(0, 0, append(values, healthy...)...))
	if took := time.Since(began); took > time.Minute { // about 15 s, and with pauses twice a minute
		t.Errorf("it took %v", took)
	}
	if !slices.Equal(out.all(), healthy) || !slices.Equal(dead.values, values) {
		t.Errorf("handled %q, dead letters %q", out.all(), dead.values)
	}
}
