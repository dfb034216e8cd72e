package stdio

import (
	"bufio"
	"bytes"
	"cmp"
	"io"

	"github.com/logctl/logctl/pkg/codec"
)

// renew takes in the header that whole records begin with, where it is a new one,
// and returns where the next one begins: a batch is of one header.
func (s *Source) renew(data []byte) (next int) {
	r, ok := s.framer.(codec.Renewer)
	if !ok || len(data) == 0 {
		return len(data)
	}
	s.header, next = r.Renew(cmp.Or(s.header, s.origin.Header), data)
	return next
}

// passOver reads up to n bytes of the stream, behind data, which was read before,
// and takes in the headers among all these. It returns how many bytes it has read.
func (s *Source) passOver(data []byte, n int64) (read int64, err error) {
	if _, ok := s.framer.(codec.Renewer); !ok {
		return io.CopyN(io.Discard, s.in.stream(), n)
	}
	rest := io.LimitedReader{R: s.in.stream(), N: n}
	all := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(data), &rest), chunk)
	begins := true
	for err == nil {
		var line []byte
		line, err = all.ReadSlice('\n')
		if begins && len(line) > 0 && line[0] == '#' {
			s.renew(line)
		}
		if begins = err == nil; err == bufio.ErrBufferFull {
			err = nil
		}
	}
	return n - rest.N, err
}
