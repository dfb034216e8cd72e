package proof

import "errors"

// Blobs are a stream.Spill in memory, and count what they are given.
type Blobs struct {
	Kept map[int64][]byte
	Puts int64
}

// Put implements stream.Spill.
func (b *Blobs) Put(blob []byte) (int64, error) {
	if b.Kept == nil {
		b.Kept = map[int64][]byte{}
	}
	b.Puts++
	b.Kept[b.Puts] = append([]byte{}, blob...)
	return b.Puts, nil
}

// ReadAt implements stream.Spill.
func (b *Blobs) ReadAt(p []byte, id, off int64) error {
	if off < 0 || off+int64(len(p)) > int64(len(b.Kept[id])) {
		return errors.New("no such bytes")
	}
	copy(p, b.Kept[id][off:])
	return nil
}

// Delete implements stream.Spill.
func (b *Blobs) Delete(id int64) error { delete(b.Kept, id); return nil }
