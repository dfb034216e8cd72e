//go:build race

package proof

// Racing says that the race detector is at work. Tests of how much memory is used
// have nothing to say then.
const Racing = true
