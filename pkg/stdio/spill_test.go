package stdio_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

var _ stream.Spill = (*stdio.Spill)(nil)

// What was put is read, whatever is put and deleted besides, and the file has no name.
func TestSpillKeepsBlobs(t *testing.T) {
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 1))
	s := stdio.NewSpill(dir)
	kept := map[int64][]byte{}
	for range 2000 {
		if r.IntN(3) > 0 || len(kept) == 0 {
			blob := make([]byte, r.IntN(5000))
			for i := range blob {
				blob[i] = byte(r.Uint32())
			}
			id, err := s.Put(blob)
			if err != nil {
				t.Fatal(err)
			}
			kept[id] = blob
			continue
		}
		for id, blob := range kept { // any one
			off := r.IntN(len(blob) + 1)
			got := make([]byte, r.IntN(len(blob)-off+1))
			if err := s.ReadAt(got, id, int64(off)); err != nil || !bytes.Equal(got, blob[off:off+len(got)]) {
				t.Fatalf("blob %d at %d: other bytes, %v", id, off, err)
			}
			if err := s.Delete(id); err != nil {
				t.Fatal(err)
			}
			delete(kept, id)
			if err := s.ReadAt(make([]byte, 1), id, 0); err == nil {
				t.Error("what was deleted is read")
			}
			break
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) > 0 {
		t.Errorf("the directory holds %v, %v", names, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
