// Command poison is a handler for measuring: it answers every record with itself, but
// for one in a hundred of those that logctl produce --generate http makes: with -again it
// asks for those once more, with -refuse it refuses them, with both it does the one after
// the other. With -until it says how many seconds it took to get that many lines: all but
// those that wait for their second attempt when the others are over.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
)

func main() {
	again := flag.Bool("again", false, "ask for what is poison once more")
	refuse := flag.Bool("refuse", false, "refuse it, with -again the second time")
	until := flag.Int("until", 0, "say when the line with number `N` has come")
	flag.Parse()
	in, out := bufio.NewReaderSize(os.Stdin, 256<<10), bufio.NewWriterSize(os.Stdout, 256<<10)
	known := new(asked)
	_, _ = in.Peek(1)
	begun := time.Now()
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if n == *until {
			fmt.Fprintf(os.Stderr, "%.3f\n", time.Since(begun).Seconds())
		}
		if err != nil {
			_ = out.Flush()
			return
		}
		switch {
		case !poisoned(line):
			_, _ = out.Write(line)
		case *again && !known.before(line):
			_, _ = out.WriteString("{\"ack\":\"retry\",\"error\":\"busy\"}\n")
		case *refuse:
			_, _ = out.WriteString("{\"ack\":\"fail\",\"error\":\"poison\"}\n")
		default:
			_, _ = out.Write(line)
		}
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
}

// idAt is where the id of a record begins.
const idAt = len(`{"timestamp":"2026-01-01T00:00:00.000Z","id":"`)

// poisoned reports whether the id ends in 00, the second time, too.
func poisoned(line []byte) bool {
	if len(line) < idAt {
		return false
	}
	end := idAt + bytes.IndexByte(line[idAt:], '"')
	return line[end-1] == '0' && line[end-2] == '0'
}

// asked are the hashes of what was asked for again lately, in lines of the processor's
// cache. They are few, because remembering is not to be measured.
type asked [1 << 11][8]uint64

// before reports whether a line was asked for before, and remembers it in the place of
// the oldest.
func (a *asked) before(line []byte) bool {
	hash := xxh3.Hash(line)
	known := &a[hash%uint64(len(a))]
	if slices.Contains(known[:], hash) {
		return true
	}
	copy(known[1:], known[:])
	known[0] = hash
	return false
}
