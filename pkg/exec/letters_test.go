package exec_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/record"
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
