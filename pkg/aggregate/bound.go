package aggregate

import (
	"errors"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// minMemory is the least bound of memory.
const minMemory = 1 << 10

// CheckBound makes sure that memory can be bounded by most bytes, where that is not 0.
// Errors are of wrong usage, but where there is nowhere to spill to.
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

// A Bound says when an operator's memory is to be looked at, and made less. What
// has to stay may come near it, or go beyond: then it is tried again when there is
// a quarter more.
type Bound struct {
	unseen int   // rows since memory was looked at
	stays  int64 // what could not be spared
}

// looksEvery is after how many rows memory is looked at.
const looksEvery = 256

// Keep counts rows and, where memory has more bytes than most, has unload make room.
func (b *Bound) Keep(rows int, most int64, memory func() int64, unload func() error) error {
	if b.unseen += rows; b.unseen < looksEvery {
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
