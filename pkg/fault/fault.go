// Package fault gives errors what a command line needs beyond their text: the
// exit status that they deserve and a hint of what to try.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
)

// Exit statuses of every command.
const (
	OK     = 0
	Failed = 1 // a failure while working, or the answer "no" to a question
	Usage  = 2 // the command line, the environment or the configuration is wrong
)

// An Error is an error with an exit status and, where there is one, a hint.
type Error struct {
	Err    error
	Status int
	Hint   string // what to type or to do, a phrase without a period
	Quiet  bool   // nothing is to be printed: the status is the answer
}

// Error returns the text of the wrapped error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Usagef returns a wrong-usage error. An empty hint is none.
func Usagef(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Status: Usage, Hint: hint}
}

// No returns the answer "no" to a question, which is a status and prints nothing.
func No(reason string) error {
	return &Error{Err: errors.New(reason), Status: Failed, Quiet: true}
}

// Hint wraps err with a hint, unless err has one already.
func Hint(err error, hint string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Hint != "" {
		return err
	}
	return &Error{Err: err, Status: Status(err), Hint: hint}
}

// Status returns the exit status that err deserves.
func Status(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return Failed
}

// HintOf returns the hint that err carries, or "".
func HintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}

// Reason takes off what an error of the file system says besides the reason: what was done
// to which path, which callers say in their own words.
func Reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
