// Command poison is a handler for measuring: it answers every record with itself, but
// for one in a hundred of those that logctl produce --generate http makes: with -again it
// asks for those once more, with -refuse it refuses them, with both it does the one after
// the other. With -until it says how many seconds it took to get that many lines: all but
// those that wait for their second attempt when the others are over. With -work it
// hashes each line so often: handlers do more than copying.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	again := flag.Bool("again", false, "ask for what is poison once more")
	refuse := flag.Bool("refuse", false, "refuse it, with -again the second time")
	work := flag.Int("work", 0, "hash each line `N` times")
	until := flag.Int("until", 0, "say when the line with number `N` has come")
	flag.Parse()
	in, out := bufio.NewReaderSize(os.Stdin, 256<<10), bufio.NewWriterSize(os.Stdout, 256<<10)
	var known asked
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
		for range *work {
			_ = sha256.Sum256(line)
		}
		switch number, yes := poisoned(line); {
		case !yes:
			_, _ = out.Write(line)
		case *again && !known.before(number):
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

// idAt is where the id of a record begins, behind the number of its generator.
const idAt = len(`{"timestamp":"2026-01-01T00:00:00.000Z","id":"1-`)

// poisoned reports whether the number in the id ends in 00, the second time, too, and
// returns its hundreds.
func poisoned(line []byte) (number int, yes bool) {
	if len(line) < idAt {
		return 0, false
	}
	end := idAt + bytes.IndexByte(line[idAt:], '"')
	if line[end-1] != '0' || line[end-2] != '0' {
		return 0, false
	}
	for _, c := range line[idAt : end-2] {
		number = number*10 + int(c-'0')
	}
	return number, true
}

// asked has a bit for each record that was asked for again: remembering them is not to be
// measured.
type asked []uint64

// before reports whether a record was asked for before, and remembers it.
func (a *asked) before(number int) bool {
	for number/64 >= len(*a) {
		*a = append(*a, 0)
	}
	word, bit := &(*a)[number/64], uint64(1)<<(number%64)
	known := *word&bit != 0
	*word |= bit
	return known
}
