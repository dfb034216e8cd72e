package exec_test

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
)

// hundredth answers every line with itself, and refuses the poison; what it says it
// gathers while more is there to be read.
func hundredth(in io.Reader, out io.Writer) {
	lines, answers := bufio.NewReaderSize(in, 256<<10), bufio.NewWriterSize(out, 256<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		if line[0] == '!' {
			line = []byte(`{"ack":"fail","error":"poison"}` + "\n")
		}
		_, _ = answers.Write(line)
		if lines.Buffered() == 0 {
			_ = answers.Flush()
		}
	}
}

// counted is a sink that counts the healthy ones, and the others.
type counted struct {
	mu              sync.Mutex
	healthy, others int
}

func (c *counted) Write(rows record.Rows) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := rows.Lo; i < rows.Hi; i++ {
		if v := rows.Value(i); len(v) > 0 && v[0] == 'x' {
			c.healthy++
		} else {
			c.others++
		}
	}
	return nil
}

// TestPoisonAtFullRate: of records that come as fast as a handler takes them one in a
// hundred is refused. The others all come through, and each of those is a dead letter
// once. (What that costs in time: scripts/bench/exec.sh.)
func TestPoisonAtFullRate(t *testing.T) {
	const many, rounds = 5000, 20
	values := slices.Repeat([]string{strings.Repeat("x", 250)}, many)
	for i := 50; i < many; i += 100 {
		values[i] = "!" + values[i][1:]
	}
	out, dead := new(counted), new(counted)
	s := open(t, exec.Options{Command: handler("hundredth"), Out: out, Dead: dead})
	defer s.Close()
	for n := range proof.Some(rounds) {
		b := batch(0, int64(n*many), values...)
		if err := s.Write(b.All()); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	all := proof.Some(rounds) * many
	if out.healthy != all*99/100 || out.others != 0 || dead.others != all/100 || dead.healthy != 0 {
		t.Errorf("out %+v, dead letters %+v of %d records", out, dead, all)
	}
}
