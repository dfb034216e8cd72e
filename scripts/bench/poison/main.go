// Command poison is a handler for measuring: it answers every record with
// itself, but for one in N, which it refuses, or with -retry asks for again once.
package main

import (
	"bufio"
	"flag"
	"os"

	"github.com/zeebo/xxh3"
)

func main() {
	every := flag.Int("every", 0, "refuse one record in `N`; 0 for none")
	retry := flag.Bool("retry", false, "ask for it again the first time")
	flag.Parse()
	in, out := bufio.NewReaderSize(os.Stdin, 256<<10), bufio.NewWriterSize(os.Stdout, 256<<10)
	again := new(asked)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
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

// asked are the hashes of what was asked for again lately. They are few, because
// remembering is not to be measured.
type asked [1 << 14]uint64

// before reports whether a line was asked for before, and remembers it.
func (a *asked) before(line []byte) bool {
	hash := xxh3.Hash(line)
	last := &a[hash%uint64(len(a))]
	was := *last == hash
	*last = hash
	return was
}
