package stream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// SignOver adds the number of partitions of the state to the signature of an operator.
// With another number, keys would be in other partitions.
func SignOver(signature string, partitions int) string {
	return signature + over + strconv.Itoa(partitions)
}

const over = " over partitions: "

// CheckSignature returns an error if the state in a holder was saved by another
// operator than the present one. A state that was saved without a number of partitions
// goes with any number.
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

// OtherWidth is the error that a state cannot be used, because its keys are now divided
// among another number of partitions.
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
