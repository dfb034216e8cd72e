// Package proof has what the tests of several packages share. Nothing else
// imports it.
package proof

// Some returns n, how often something is tried or how large it is, or much less
// under the race detector: there it takes ten to twenty times as long, and the
// detector sees in few rounds what it sees in many. It is never less than one.
func Some(n int) int {
	if Racing {
		return max(n/10, 1)
	}
	return n
}
