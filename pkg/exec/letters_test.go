package exec_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestLettersAmongMany refuses some of many records, now for the same reason and
// now for another: each letter says its own, in the order of its partition, also
// where the sink is still busy with the letters before.
func TestLettersAmongMany(t *testing.T) {
	for _, busy := range []bool{false, true} {
		out, dead := new(got), new(kept)
		opt := exec.Options{Command: handler("poison"), Out: out, Dead: dead}
		if !busy {
			opt.Dead = &dead.got
		}
		s := open(t, opt)
		const batches, rows, every = 30, 1000, 7
		var healthy, poison []string
		for n := range batches {
			values := numbered("good ", rows)
			for i := range values {
				if i%every == 0 {
					values[i] = fmt.Sprintf("bad %c", 'a'+n*i/500%20)
					poison = append(poison, fmt.Sprintf("t/%d@%d %s", n%3, n*rows+i, values[i]))
				} else {
					healthy = append(healthy, values[i])
				}
			}
			b := batch(int32(n%3), int64(n*rows), values...)
			if err := s.Write(b.All()); err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
		finish(t, s)
		dead.read()
		if !slices.Equal(out.all(), healthy) {
			t.Errorf("busy %v: the healthy records are not those given, in order", busy)
		}
		var letters []string
		for i, st := range dead.states {
			letters = append(letters, st.ID()+" "+dead.values[i])
			if !strings.HasSuffix(st.Reason, dead.values[i]) || st.Correlation != st.ID() {
				t.Fatalf("busy %v: the letter of %q says %+v", busy, dead.values[i], st)
			}
		}
		if !slices.Equal(letters, poison) || s.Stats.Dead.Load() != int64(len(poison)) {
			t.Errorf("busy %v: %d letters, %d counted, want %d in order", busy, len(letters), s.Stats.Dead.Load(), len(poison))
		}
	}
}

// kept is a sink that is busy with what it was given until it is read.
type kept struct {
	got
	mu   sync.Mutex
	rows []record.Rows
}

func (k *kept) Write(rows record.Rows) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	rows.Retain()
	k.rows = append(k.rows, rows)
	return nil
}

func (k *kept) read() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, rows := range k.rows {
		_ = k.got.Write(rows)
		rows.Release()
	}
}

// busy is a sink of letters that takes none until it is let.
type busy struct {
	got
	begun, let chan struct{}
}

func (b *busy) Write(rows record.Rows) error {
	signal(b.begun)
	<-b.let
	return b.got.Write(rows)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// TestLettersHoldUpNobody: while the sink of letters takes none, records that are well are
// handled, and what is refused is not finished. Only so much of it waits; all of it is
// written in the end.
func TestLettersHoldUpNobody(t *testing.T) {
	out, dead := new(got), &busy{begun: make(chan struct{}, 1), let: make(chan struct{})}
	s := open(t, exec.Options{Command: handler("poison"), Out: out, Dead: dead})
	if err := s.Write(batch(0, 0, "bad 0").All()); err != nil {
		t.Fatal(err)
	}
	<-dead.begun
	if err := s.Write(batch(0, 1, numbered("good ", 1000)...).All()); err != nil {
		t.Fatal(err)
	}
	for s.Unfinished() > 1 {
		s.AwaitChange()
	}
	at := stream.Position{Source: "t", Next: 1001}
	if n := len(out.all()); n != 1000 || s.Finished(at).Next != 0 {
		t.Errorf("%d of 1000 records are handled, finished is what is before %d, want 0", n, s.Finished(at).Next)
	}
	many := numbered("bad ", 20_000)
	if err := s.Write(batch(0, 1001, many[1:]...).All()); err != nil {
		t.Fatal(err)
	}
	close(dead.let)
	finish(t, s)
	if !slices.Equal(dead.values, many) {
		t.Errorf("%d letters, want %d, in order", len(dead.values), len(many))
	}
}

// TestLettersThatCannotBeWrittenEndTheRun also where others wait behind them.
func TestLettersThatCannotBeWrittenEndTheRun(t *testing.T) {
	dead := &busy{begun: make(chan struct{}, 1), let: make(chan struct{})}
	dead.fail = errors.New("no room")
	s := open(t, exec.Options{Command: handler("poison"), Dead: dead})
	if err := s.Write(batch(0, 0, numbered("bad ", 20_000)...).All()); err != nil {
		t.Fatal(err)
	}
	<-dead.begun
	close(dead.let)
	if err := s.Drain(t.Context(), false); !errors.Is(err, dead.fail) {
		t.Errorf("the run ends with %v", err)
	}
	if at := (stream.Position{Source: "t", Next: 20_000}); s.Finished(at).Next != 0 {
		t.Errorf("what is before %d is said to be finished", s.Finished(at).Next)
	}
}

// TestLettersAreWrittenBeforeAPartitionIsLeft, so that nobody else writes them again.
func TestLettersAreWrittenBeforeAPartitionIsLeft(t *testing.T) {
	dead := &busy{begun: make(chan struct{}, 1), let: make(chan struct{})}
	s := open(t, exec.Options{Command: handler("poison"), Dead: dead})
	b := batch(0, 0, "bad 0")
	if err := s.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	<-dead.begun
	left := make(chan struct{})
	go func() { s.Leave([]*record.Origin{b.Origin}); close(left) }()
	for !s.Leaving() {
		select {
		case <-left:
			close(dead.let)
			t.Fatal("the partition is left while its letter is written")
		default:
			runtime.Gosched()
		}
	}
	close(dead.let)
	<-left
	if at := (stream.Position{Source: "t", Next: 1}); s.Finished(at).Next != 1 {
		t.Errorf("what comes next is %d, want 1", s.Finished(at).Next)
	}
}
