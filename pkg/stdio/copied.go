package stdio

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/stream"
)

// copyOf returns which file of a directory is a copy of the one that a position was in, be
// it compressed; -1 where there is none, which is told, or an earlier run has gone on in it.
func (s *search) copyOf(p stream.Position, dir []found) int {
	for i, f := range dir {
		switch {
		case p.Begins == 0 || f.first != p.Begins || f.partition == 0 || !ofLog(f.path, p.Source):
		case s.known[f.partition]:
			return -1
		case endsRecord(f.path, p.Next):
			return i
		}
	}
	s.miss(p)
	return -1
}

// ofLog reports whether a path is a name of a rotated file of the log that was read as name,
// which may have been such a one itself.
func ofLog(path, name string) bool {
	path, name = unpackedName(path), unpackedName(name)
	log := rotatedEnd.ReplaceAllString(name, "")
	return isRotated(path, name) || path == name || path == log || isRotated(path, log)
}

// packedEnds are the endings of compressed files that can be read.
var packedEnds = []string{".gz", ".zst", ".bz2"}

// unpackedName takes such an ending off a path.
func unpackedName(path string) string {
	if ext := filepath.Ext(path); slices.Contains(packedEnds, ext) {
		return strings.TrimSuffix(path, ext)
	}
	return path
}

// endsRecord reports whether a line of a file, as it is when it is not compressed, ends
// before a byte.
func endsRecord(path string, next int64) bool {
	f, err := os.Open(path)
	if err != nil || next == 0 {
		return false
	}
	in, err := newInput(f, new(atomic.Int64), false)
	if err != nil {
		return false
	}
	defer in.close()
	last := make([]byte, 1)
	in.ctx = context.Background()
	if in.sniff(in.ctx) != nil || in.skipTo(in.ctx, next-1) != nil {
		return false
	}
	_, err = io.ReadFull(in.stream(), last)
	return err == nil && last[0] == '\n'
}

// readToEnd reports whether a file in the gzip format is known to have no more than so many
// bytes: reading all of it only to find that takes long. Another program may have made it
// of several members; the length of the last one is another then.
func readToEnd(path string, length int64) bool {
	if !strings.HasSuffix(path, ".gz") {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	end := make([]byte, 4)
	info, err := f.Stat()
	if err == nil {
		_, err = f.ReadAt(end, info.Size()-int64(len(end)))
	}
	_ = f.Close() // it was only looked at
	return err == nil && length > 0 && binary.LittleEndian.Uint32(end) == uint32(length)
}
