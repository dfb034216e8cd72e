package aggregate

import (
	"errors"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// minMemory is the least bound of memory.
const minMemory = 1 << 10

// CheckBound checks that memory can be limited to most bytes (0 is no limit). Errors
// are usage errors, except that there is nowhere to spill to.
func CheckBound(most int64, spill stream.Spill) error {
	switch {
	case most == 0:
		return nil
	case most < minMemory:
		return fault.Usagef("as in --max-memory 256MiB", "max memory %d bytes: want at least %d", most, minMemory)
	case spill == nil:
		return errors.New("there is a bound of memory, but nowhere to spill to")
	default:
		return nil
	}
}

// A Bound says when to check an operator's memory and reduce it. If what must stay in
// memory is near the limit or beyond it, the next attempt is made when there is a
// quarter more.
type Bound struct {
	unseen int   // rows since memory was looked at, and one for each rowBytes of them
	stays  int64 // what could not be spared
}

// Memory is looked at after so many rows, fewer where they are long.
const (
	looksEvery = 256
	rowBytes   = 4 << 10
)

// Keep counts rows and calls unload when memory is more than most bytes.
func (b *Bound) Keep(rows record.Rows, most int64, memory func() int64, unload func() error) error {
	if b.unseen += rows.Hi - rows.Lo + rows.Size()/rowBytes; b.unseen < looksEvery {
		return nil
	}
	b.unseen = 0
	if memory() < max(most, b.stays+most/4) {
		return nil
	}
	if err := unload(); err != nil {
		return err
	}
	b.stays = memory()
	return nil
}
