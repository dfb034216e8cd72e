package stream

// A Spill stores, until the run ends, what an operator has no room for in memory.
type Spill interface {
	// Put keeps a blob and returns what it is called.
	Put(blob []byte) (id int64, err error)
	// ReadAt fills p with the bytes of a blob from off on, all of which are there.
	ReadAt(p []byte, id, off int64) error
	// Delete forgets a blob.
	Delete(id int64) error
}
