package exec_test

import (
	"bytes"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/record"
)

// TestLargeRecordsAreGivenInPieces: what is written to a handler at once is bounded by its
// bytes, and not only by the number of records.
func TestLargeRecordsAreGivenInPieces(t *testing.T) {
	const size, most = 100_000, 256 << 10
	b := record.NewBatch()
	for range 10 {
		b.Add(bytes.Repeat([]byte("x"), size))
	}
	if n := exec.Gathered(b.All()); n < most || n > most+size {
		t.Errorf("given at once: %d bytes", n)
	}
}
