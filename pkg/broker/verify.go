package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// kfake cuts a log at the first byte that is not what it was, and goes on without what
// comes behind. What is verified before it starts is that nothing is cut but what a
// writer that was killed, or had no room, has left unfinished: damage is an error.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errSum  = errors.New("the checksum is wrong")
	errNext = errors.New("it does not follow what comes before")
)

// A layout says how the frames of a file are laid out.
type layout struct {
	head  int                      // bytes that size has to see
	size  func(head []byte) int64  // of a frame, head included; less than head for none
	whole func(frame []byte) bool  // its checksum is right
	seen  func(frame []byte) error // takes in a frame; nil for none
}

// entries are the frames of groups.log and pids.log: length, checksum, body.
var entries = layout{
	head: 8,
	size: func(h []byte) int64 { return 8 + int64(binary.LittleEndian.Uint32(h)) },
	whole: func(f []byte) bool {
		return len(f) >= 10 && crc32.Checksum(f[8:], castagnoli) == binary.LittleEndian.Uint32(f[4:])
	},
}

// batches are the frames of a segment: Kafka's record batches, version 2.
var batches = layout{
	head: batchHead,
	size: func(h []byte) int64 { return 12 + int64(binary.BigEndian.Uint32(h[8:])) },
	whole: func(f []byte) bool {
		return len(f) >= batchHead && f[16] == 2 && crc32.Checksum(f[21:], castagnoli) == binary.BigEndian.Uint32(f[17:])
	},
}

// batchHead is the size of a batch without its records.
const batchHead = 61

// maxFrame bounds a frame: what Kafka may be sent at once.
const maxFrame = maxRequest

// soughtFrame bounds those that are looked for behind one whose length is wrong.
const soughtFrame = 2 << 20

// check reads the frames of a file, and cuts off what was left unfinished.
func (l layout) check(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	at := 0
	for at < len(data) {
		rest := data[at:]
		n := l.next(rest)
		if n == 0 {
			break
		}
		if l.seen != nil {
			if err := l.seen(rest[:n]); err != nil {
				return damaged(path, at, err)
			}
		}
		at += n
	}
	switch rest := data[at:]; {
	case len(rest) == 0:
		return nil
	case !l.torn(rest):
		return damaged(path, at, errSum)
	default:
		return os.Truncate(path, int64(at))
	}
}

// next returns the size of the whole frame that data begins with, 0 where there is none.
func (l layout) next(data []byte) int {
	if len(data) < l.head {
		return 0
	}
	n := l.size(data)
	if n < int64(l.head) || n > int64(len(data)) || !l.whole(data[:n]) {
		return 0
	}
	return int(n)
}

// torn reports whether data is the beginning of one frame, or the zeros that a loss of
// power leaves. A frame that is whole but for its length, or has others behind it, was
// not left unfinished but has changed.
func (l layout) torn(data []byte) bool {
	if len(bytes.Trim(data, "\x00")) == 0 || len(data) < l.head {
		return true
	}
	if n := l.size(data); n >= int64(l.head) && n <= int64(len(data)) || n > maxFrame || l.whole(data) {
		return false
	}
	for at := 1; at < len(data); at++ {
		if l.next(data[at:min(at+soughtFrame, len(data))]) > 0 {
			return false
		}
	}
	return true
}

func damaged(path string, at int, err error) error {
	return fault.Hint(fmt.Errorf("%q is damaged at byte %d: %w", path, at, err),
		fmt.Sprintf("restore it from a copy; or truncate -s %d %s goes on without the rest of that file", at, path))
}

// verify looks through all that was acknowledged, and mends the indexes.
func (d *dataDir) verify() error {
	if err := d.unseal(); err != nil {
		return err
	}
	for _, name := range []string{"groups.log", "pids.log"} {
		if err := entries.check(filepath.Join(d.path, name)); err != nil {
			return err
		}
	}
	segments, err := filepath.Glob(filepath.Join(d.path, "partitions", "*", "*.dat"))
	if err != nil {
		return err
	}
	for _, path := range segments {
		if err := verifySegment(path); err != nil {
			return err
		}
	}
	return nil
}

// verifySegment checks the batches of a segment, which follow one another from the offset
// that is its name, and writes its index anew where that does not say what they do.
func verifySegment(path string) error {
	name := strings.TrimSuffix(path, ".dat")
	next, err := strconv.ParseUint(filepath.Base(name), 10, 63)
	if err != nil {
		return nil //nolint:nilerr // it is none of kfake's
	}
	l, index := batches, []byte(nil)
	was, err := os.ReadFile(name + ".idx")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.seen = func(batch []byte) error {
		if binary.BigEndian.Uint64(batch) != next {
			return errNext
		}
		next += uint64(binary.BigEndian.Uint32(batch[23:])) + 1
		var err error
		index, err = appendIndex(index, batch, was)
		return err
	}
	if err := l.check(path); err != nil || bytes.Equal(index, was) {
		return err
	}
	return errors.Join(os.WriteFile(name+".idx.tmp", index, 0o600), os.Rename(name+".idx.tmp", name+".idx"))
}

// indexSize is the size of an entry of kfake's index: version, checksum, epoch, time, and
// whether the batch is of a transaction.
const indexSize = 15

// entryOf returns the entry of a batch, the at-th byte of an index, where it is whole.
func entryOf(index []byte, at int) []byte {
	if at+indexSize > len(index) {
		return nil
	}
	if e := index[at : at+indexSize]; e[0] == 1 && e[1] == indexSum(e) {
		return e
	}
	return nil
}

// appendIndex adds the entry of a batch: the one that was there, for the greatest time
// before it is not in the batch, or a new one. The epoch has no other checksum than that
// both have it.
func appendIndex(index, batch, was []byte) ([]byte, error) {
	epoch := binary.BigEndian.Uint32(batch[12:])
	e := entryOf(was, len(index))
	switch {
	case e == nil || e[14]&1 != inTransaction(batch):
		e = make([]byte, indexSize)
		e[0], e[14] = 1, inTransaction(batch)
		binary.LittleEndian.PutUint32(e[2:], epoch)
		binary.LittleEndian.PutUint64(e[6:], binary.BigEndian.Uint64(batch[35:])) // its own greatest time
		e[1] = indexSum(e)
	case binary.LittleEndian.Uint32(e[2:]) != epoch:
		return nil, errSum
	}
	return append(index, e...), nil
}

func indexSum(entry []byte) byte { return byte(crc32.Checksum(entry[2:], castagnoli)) }

// inTransaction returns 1 for records of a transaction, 0 for others and for its end.
func inTransaction(batch []byte) byte {
	if attributes := binary.BigEndian.Uint16(batch[21:]); attributes&0x30 == 0x10 {
		return 1
	}
	return 0
}
