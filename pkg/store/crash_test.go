package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// crashPath has this test binary write rows to a database until it is killed.
const crashPath = "TEST_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := writeForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForEver goes on where an earlier process was killed.
func writeForEver(path string) error {
	ctx := context.Background()
	s, err := store.OpenSink(ctx, path, "", store.SinkOptions{Onward: true})
	if err != nil {
		return err
	}
	at, err := s.Positions(ctx)
	if err != nil {
		return err
	}
	var next int64
	for _, p := range at {
		next = p.Next
	}
	rnd := rand.New(rand.NewPCG(uint64(next), 1))
	for process := os.Getpid(); ; {
		var values []string
		for i := range rnd.Int64N(300) + 1 {
			// A record that was written twice would show by its row, which is
			// another one in each process.
			values = append(values, fmt.Sprintf(`{"row":"%d of %d","offset":%d}`, next+i, process, next+i))
		}
		if err := s.Write(batch(next, values...).All()); err != nil {
			return err
		}
		next += int64(len(values))
		s.Keep([]stream.Position{{Source: "t", Next: next}})
		if rnd.IntN(3) == 0 {
			if err := s.Flush(ctx); err != nil {
				return err
			}
			fmt.Println("committed")
		}
	}
}

// Whenever the writer is killed, the rows are those below the stored position,
// each once.
func TestKilledWriterLosesAndRepeatsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	for round := range 20 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashPath+"="+path)
		child.Stderr = os.Stderr
		said, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 { // else it may be killed before it has begun
			if _, err := said.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		go io.Copy(io.Discard, said)
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("the writer ended by itself: %v", err)
		}
	}
	at, err := openSink(t, path, store.SinkOptions{Onward: true}).Positions(t.Context())
	if err != nil || len(at) != 1 {
		t.Fatalf("positions %v, %v", at, err)
	}
	all := rows(t, path, 1<<20)
	if int64(len(all)) != at[0].Next || len(all) == 0 {
		t.Fatalf("%d rows below position %d", len(all), at[0].Next)
	}
	for i, text := range all {
		var row struct{ Offset int64 }
		if err := json.Unmarshal([]byte(text), &row); err != nil || row.Offset != int64(i) {
			t.Fatalf("row %d is %s", i, text)
		}
	}
	t.Logf("%d rows", len(all))
}
