package expr

import (
	"maps"
	"slices"
)

// FunctionNames returns the names of all functions.
func FunctionNames() []string { return slices.Sorted(maps.Keys(functions)) }

// Matcher returns the test that matcher makes of a regular expression.
var Matcher = matcher
