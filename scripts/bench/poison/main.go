// Command poison is a handler for measuring: it answers every record with
// itself, but for one in N, which it refuses, or with -retry asks for again once.
// With -until it says how many seconds it took to get that many lines: all but
// those that wait for their second attempt when the others are over.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
)

func main() {
	every := flag.Int("every", 0, "refuse one record in `N`; 0 for none")
	retry := flag.Bool("retry", false, "ask for it again the first time")
	until := flag.Int("until", 0, "say when the line with number `N` has come")
	flag.Parse()
	in, out := bufio.NewReaderSize(os.Stdin, 256<<10), bufio.NewWriterSize(os.Stdout, 256<<10)
	again := new(asked)
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
		case *every == 0 || n%*every != 0:
			_, _ = out.Write(line)
		case *retry && !again.before(line):
			_, _ = out.WriteString("{\"ack\":\"retry\",\"error\":\"busy\"}\n")
		default:
			_, _ = out.WriteString("{\"ack\":\"fail\",\"error\":\"poison\"}\n")
		}
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
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
