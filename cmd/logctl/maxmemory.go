package main

import (
	"runtime/debug"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stream"
)

// memoryFlags say how much memory a run may take that has no state of its own: what it
// holds are records on their way.
type memoryFlags struct{ most int64 }

func (f *memoryFlags) add(fs *pflag.FlagSet) {
	sizeVar(fs, &f.most, "max-memory", 0, "about how many `BYTES` of memory are taken, at least 96MiB (0: no bound)")
}

const (
	leastMemory = 96 << 20
	program     = 36 << 20 // is in memory besides what it allocates
	sqliteTakes = 28 << 20 // besides, for each database
)

// apply divides the memory: a quarter each for batches, for what is in flight to topics
// and for what fetches are unpacked to, a sixteenth for fetches, and the rest is the
// collector's leeway. The returned function gives up the bound.
func (f *memoryFlags) apply(p *pipeline) (undo func(), _ error) {
	if f.most == 0 {
		return leeway(consumeLeeway), nil
	}
	if f.most < leastMemory {
		return nil, fault.Usagef("as in --max-memory 128MiB", "--max-memory %s: want at least %s",
			human.Size(f.most), human.Size(leastMemory))
	}
	heap, err := f.heap(p)
	if err != nil {
		return nil, err
	}
	inputs := max(p.endpoints.of(stream.Kafka), 1)
	const batches = 32 // at most, of each input
	p.Arena = min(max(heap/4/batches/inputs, 16<<10), 256<<10)
	p.producer.buffer = int64(heap / 4)
	p.consumer.fetch = min(heap/16/inputs, 4<<20)
	p.consumer.unpacked = heap / 4 / inputs
	before := debug.SetMemoryLimit(int64(heap))
	return func() { debug.SetMemoryLimit(before) }, nil
}

// heap returns how much is left for what the program allocates.
func (f *memoryFlags) heap(p *pipeline) (int, error) {
	list, err := p.flags.output.endpoints()
	heap := f.most - program - int64(list.of(stream.SQLite))*sqliteTakes
	return int(max(heap, leastMemory/4)), err
}
