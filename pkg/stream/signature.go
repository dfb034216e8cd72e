package stream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// SignOver adds to the signature of an operator over how many partitions its state
// is shared out: with another number, equal keys are in other partitions.
func SignOver(signature string, partitions int) string {
	return signature + over + strconv.Itoa(partitions)
}

const over = " over partitions: "

// CheckSignature returns an error where the state that is kept in some holder is not
// that of the operator that runs now. What is kept without a number of partitions is
// as good as with any.
func CheckSignature(holder, kept, now string) error {
	if kept == now {
		return nil
	}
	was, had := cutOver(kept)
	is, has := cutOver(now)
	switch {
	case was != is:
		return fault.Hint(fmt.Errorf("%s holds the state of another command:\n  kept  %s\n  now   %s", holder, kept, now),
			"--reset discards that state and begins anew")
	case had == "" || has == "":
		return nil
	}
	return OtherWidth(holder, had, has)
}

// OtherWidth is the error that a state cannot be gone on with, because its keys are
// shared out over another number of partitions now.
func OtherWidth(holder, had, has string) error {
	return fault.Hint(
		fmt.Errorf("%s holds state shared out over %s partitions, and now there are %s: "+
			"equal keys may be in others than before", holder, had, has),
		fmt.Sprintf("--reset discards that state and begins anew; a topic made anew with %s partitions goes on with it", had))
}

// cutOver cuts the number of partitions off a signature, "" where there is none.
func cutOver(signature string) (operator, partitions string) {
	at := strings.LastIndex(signature, over)
	if at < 0 {
		return signature, ""
	}
	partitions = signature[at+len(over):]
	if _, err := strconv.Atoi(partitions); err != nil {
		return signature, ""
	}
	return signature[:at], partitions
}
