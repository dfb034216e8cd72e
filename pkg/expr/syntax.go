package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/fault"
)

// A SyntaxError says what is wrong with an expression, and where. The errors
// of this package wrap one in a fault.Error, which has the status of wrong
// usage and, where there is one, a hint.
type SyntaxError struct {
	Src string // the expression
	Pos int    // offset in bytes of what is wrong
	Msg string // what came and what was wanted
}

// Error returns the message, and below it the line of the expression with a
// caret under the column.
func (e *SyntaxError) Error() string {
	start := strings.LastIndexByte(e.Src[:e.Pos], '\n') + 1
	line, _, _ := strings.Cut(e.Src[start:], "\n")
	line = strings.ReplaceAll(line, "\t", " ")
	column := utf8.RuneCountInString(e.Src[start:e.Pos])
	return fmt.Sprintf("expression: %s\n    %s\n    %s^", e.Msg, line, strings.Repeat(" ", column))
}

// syntaxError returns a SyntaxError as the caller gets it. An empty hint is
// none.
func syntaxError(src string, pos int, hint, format string, args ...any) error {
	e := &SyntaxError{src, min(pos, len(src)), fmt.Sprintf(format, args...)}
	return &fault.Error{Err: e, Status: fault.Usage, Hint: hint}
}
