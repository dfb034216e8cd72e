package main

import (
	"slices"
	"strings"
)

// sortedLines returns the lines of s in order, for comparing what comes in any.
func sortedLines(s string) []string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	slices.Sort(lines)
	return lines
}
