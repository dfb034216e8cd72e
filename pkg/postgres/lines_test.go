package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// A shelf is a stream.Spill in memory.
type shelf map[int64][]byte

func (s shelf) Put(blob []byte) (int64, error) {
	id := int64(len(s) + 1)
	s[id] = bytes.Clone(blob)
	return id, nil
}

func (s shelf) ReadAt(p []byte, id, off int64) error {
	if copy(p, s[id][off:]) < len(p) {
		return errors.New("too short")
	}
	return nil
}

func (s shelf) Delete(id int64) error { delete(s, id); return nil }

// Lines come back in order as often as they are read, however many of them are on
// disk and whatever the size of the reads; those that are dropped do not.
func TestLines(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		disk := shelf{}
		l := lines{spill: disk}
		for range 2 { // transactions
			var dropped []bool
			var all, kept, numbered strings.Builder
			for i := range rnd.IntN(100) {
				line := strings.Repeat("x", rnd.IntN(12))
				l.held = append(l.held, line+"\n"...)
				if err := l.trim(40); err != nil {
					t.Fatal(err)
				}
				dropped = append(dropped, rnd.IntN(3) == 0)
				fmt.Fprintln(&all, line)
				if !dropped[i] {
					fmt.Fprintln(&kept, line)
					fmt.Fprintf(&numbered, "%s\t%d\n", line, i+1)
				}
			}
			for range 2 { // attempts
				read(t, l.reader(nil, false), all.String())
				read(t, l.reader(dropped, false), kept.String())
				read(t, l.reader(dropped, true), numbered.String())
			}
			if l.empty() != (all.Len() == 0) {
				t.Errorf("empty is %v with %d bytes", l.empty(), all.Len())
			}
			if err := l.clear(); err != nil || len(disk) > 0 || !l.empty() {
				t.Errorf("%d blobs are left: %v", len(disk), err)
			}
		}
	}
}

func read(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(io.MultiReader(iotest.OneByteReader(io.LimitReader(r, 50)), iotest.HalfReader(r)))
	if err != nil || string(got) != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
}
