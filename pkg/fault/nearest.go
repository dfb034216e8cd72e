package fault

import (
	"slices"
	"strings"
)

// Nearest returns the name of known that is most like name: at most a third
// of its letters wrong, swapped, missing or too many, and not all of them. Of
// several the first one counts, unless another begins with the same letter. Without
// one, it is the only name of which name is a word, as exactly of exactly-once.
// It returns "" where nothing is near.
func Nearest(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range known {
		d := distance(name, k)
		if d < len(name) && (d < least || d == least && best != "" && best[0] != name[0] && k != "" && k[0] == name[0]) {
			best, least = k, d
		}
	}
	if best == "" {
		return wordOf(name, known)
	}
	return best
}

// wordOf returns the only name of known of which name is a word, else "".
func wordOf(name string, known []string) (found string) {
	for _, k := range known {
		words := strings.FieldsFunc(k, func(r rune) bool { return strings.ContainsRune("-_.:", r) })
		if !slices.Contains(words, name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = k
	}
	return found
}

// DidYouMean returns the hint "did you mean NAME?", or "" where nothing is
// near.
func DidYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}

// distance is the optimal string alignment distance of Damerau and
// Levenshtein: insertions, deletions, substitutions and swaps of neighbours.
func distance(a, b string) int {
	two, one, row := []int(nil), []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		two, one, row = one, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
