package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A growing is a log that grows, line by line and now and then half a line, and
// is rotated.
type growing struct {
	tally
	path    string
	rnd     *rand.Rand
	seconds float64
	begun   int    // line with which the file begins
	half    string // what the last line lacks
}

// grow appends some lines.
func (g *growing) grow(n int) error {
	text := g.half
	g.half = ""
	for range n {
		text += g.line()
	}
	if g.rnd.IntN(3) == 0 {
		line := g.line()
		cut := 1 + g.rnd.IntN(len(line)-1)
		text, g.half = text+line[:cut], line[cut:]
	}
	return g.append(text)
}

func (g *growing) append(text string) error {
	f, err := os.OpenFile(g.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

// line returns the next line: records out of order by up to five seconds, some
// that are ten minutes late, some that are no JSON. None of these two begins a file:
// one run over all files would take what is late in its time, and a short file that
// begins with what is no JSON is text.
func (g *growing) line() string {
	g.lines++
	begins := g.lines <= g.begun+10
	g.seconds += g.rnd.Float64() / 4
	at := g.seconds + 5*g.rnd.Float64()
	switch {
	case g.lines%97 == 0 && !begins:
		return fmt.Sprintf("no record %d\n", g.lines)
	case g.lines%101 == 0 && g.seconds > 700 && !begins:
		at -= 600
	}
	stamp := time.Unix(1767225600, int64(at*1e9)).UTC().Format("2006-01-02T15:04:05.000000Z")
	user, ms := g.rnd.IntN(20), g.rnd.Float64()*500
	return fmt.Sprintf(`{"ts":"%s","n":%d,"user":"u%d","ms":%.1f}`+"\n", stamp, g.lines, user, ms)
}

// rotate gives the file another name; the next line begins a new one.
func (g *growing) rotate() error {
	if err := g.append(g.half); err != nil {
		return err
	}
	g.half, g.begun = "", g.lines
	g.rotations++
	return os.Rename(g.path, fmt.Sprintf("%s.%d", g.path, g.rotations))
}

// files returns all files, the oldest first.
func (g *growing) files() ([]string, error) {
	files, err := filepath.Glob(g.path + ".[0-9]*")
	slices.SortFunc(files, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	return append(files, g.path), err
}
