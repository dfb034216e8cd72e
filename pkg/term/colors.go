package term

import "os"

// Colors reports whether text on w may be coloured: on a terminal that is not
// dumb, unless NO_COLOR is set (no-color.org).
func Colors(w any) bool {
	return IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
