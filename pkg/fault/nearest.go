package fault

// Nearest returns the name of known that is most like name: at most a third
// of its letters wrong, swapped, missing or too many, and not all of them. It
// returns "" where nothing is near.
func Nearest(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := distance(name, k); d < least && d < len(name) {
			best, least = k, d
		}
	}
	return best
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
