package spool

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// A mark is a number of a record, kept in the file "position" in two slots, which
// are written in turn, each with a number that rises and a checksum: one of them
// is whole at any moment.
type mark struct {
	off  int64 // of the slots
	slot int   // to be written next
}

const slotSize = 20

// markFile is the size of the file of both marks. It has it from the beginning on:
// that a disk is full must not keep anybody from saying that records are sent.
const markFile = 4 * slotSize

// openMarks opens the file of the marks and returns up to where records have been
// taken, and up to where they were on the disk when a Flush last returned.
func (s *Spool) openMarks() (taken, flushed int64, err error) {
	if s.pos, err = os.OpenFile(filepath.Join(s.dir, "position"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return 0, 0, err
	}
	text := make([]byte, markFile)
	n, err := io.ReadFull(s.pos, text)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		_, err = s.pos.WriteAt(text[n:], int64(n))
	}
	s.taken.off, s.flushed.off = 0, 2*slotSize
	return s.taken.load(text), s.flushed.load(text), err
}

// load returns what the later one of the slots that are whole holds.
func (m *mark) load(text []byte) (number int64) {
	for text = text[m.off : m.off+2*slotSize]; len(text) > 0; text = text[slotSize:] {
		if crc32.Checksum(text[:16], castagnoli) != binary.LittleEndian.Uint32(text[16:]) {
			continue
		}
		if n := int(binary.LittleEndian.Uint64(text[8:])) + 1; n > m.slot {
			number, m.slot = int64(binary.LittleEndian.Uint64(text)), n
		}
	}
	return number
}

// save writes the slot that is not the current one.
func (m *mark) save(f *os.File, number int64) error {
	var slot [slotSize]byte
	binary.LittleEndian.PutUint64(slot[:], uint64(number))
	binary.LittleEndian.PutUint64(slot[8:], uint64(m.slot))
	binary.LittleEndian.PutUint32(slot[16:], crc32.Checksum(slot[:16], castagnoli))
	if _, err := f.WriteAt(slot[:], m.off+int64(m.slot%2)*slotSize); err != nil {
		return err
	}
	m.slot++
	return nil
}
