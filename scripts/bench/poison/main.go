// Command poison is a handler for measuring: it answers every record with
// itself, but for one in N, which it refuses, or with -retry asks for again once.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"os"
)

func main() {
	every := flag.Int("every", 0, "refuse one record in `N`; 0 for none")
	retry := flag.Bool("retry", false, "ask for it again the first time")
	flag.Parse()
	in, out := bufio.NewReaderSize(os.Stdin, 256<<10), bufio.NewWriterSize(os.Stdout, 256<<10)
	asked := map[string]bool{}
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil {
			_ = out.Flush()
			return
		}
		switch {
		case *every == 0 || n%*every != 0:
			_, _ = out.Write(line)
		case *retry && !asked[string(bytes.TrimSpace(line))]:
			asked[string(bytes.TrimSpace(line))] = true
			_, _ = out.WriteString("{\"ack\":\"retry\",\"error\":\"busy\"}\n")
		default:
			_, _ = out.WriteString("{\"ack\":\"fail\",\"error\":\"poison\"}\n")
		}
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
}
