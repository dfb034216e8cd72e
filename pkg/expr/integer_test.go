package expr_test

import (
	"fmt"
	"testing"
)

// TestLongIntegers: integers in fields compare by all of their digits with literals and
// with each other, as numbers and as text, in lists too.
func TestLongIntegers(t *testing.T) {
	const line = `{"n":9007199254740993,"s":"9007199254740993","e":9.007199254740993e15,"low":9007199254740992,` +
		`"zeros":"0009007199254740993","neg":-9007199254740993,"below":-9007199254740995,"small":5}`
	for src, want := range map[string]bool{
		`n == 9007199254740993`:           true,
		`n == 9007199254740992`:           false,
		`n != 9007199254740992`:           true,
		`n > 9007199254740992`:            true,
		`n <= 9007199254740992`:           false,
		`9007199254740992 < n`:            true,
		`s == 9007199254740992`:           false,
		`s >= 9007199254740993`:           true,
		`zeros == 9007199254740993`:       true,
		`zeros == 9007199254740992`:       false,
		`e == 9007199254740993`:           true, // it has no digits of its own
		`e == 9007199254740992`:           true,
		`n in [1, 9007199254740992]`:      false,
		`n in [1, 9007199254740993]`:      true,
		`n not in [1, 9007199254740992]`:  true,
		`small in [5, 9007199254740993]`:  true,
		`n == low`:                        false,
		`n > low`:                         true,
		`n == s and s == zeros`:           true,
		`neg < below`:                     false,
		`below < neg`:                     true,
		`neg == below`:                    false,
		`neg < n`:                         true,
		`small != 9007199254740993`:       true,
		`gone != 9007199254740993`:        false,
		`n == 18446744073709551616`:       false,
		`num(n) == 9007199254740992`:      true, // calculated
		`(gone ?? n) == 9007199254740992`: false,
		`(gone ?? n) == (low ?? small)`:   false,
	} {
		if got, _ := evaluate(t, src, line); got != fmt.Sprint(want) {
			t.Errorf("%s: %s", src, got)
		}
	}
}
