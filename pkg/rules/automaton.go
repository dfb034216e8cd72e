package rules

// An automaton finds which of many texts occur in another one, whatever the
// case of their ASCII letters, in one pass over it (Aho and Corasick). Bytes
// that occur in none of the texts share a class, which keeps the table small.
type automaton struct {
	class [256]uint8
	next  []int32   // of a state, which is the index of its row, and a class: the next state
	found [][]int32 // of a row, divided by the number of classes: the texts that end there
	row   int32     // how many classes there are
}

// final marks a state in which texts end.
const final = 1 << 31

// newAutomaton returns the automaton of texts in lower case, none of them empty.
func newAutomaton(texts []string) *automaton {
	a := &automaton{}
	a.classify(texts)
	for id, t := range texts {
		a.insert(t, int32(id))
	}
	a.link()
	a.finish()
	return a
}

// classify gives each byte that occurs a class of its own, capital letters that
// of their small ones.
func (a *automaton) classify(texts []string) {
	a.row = 1
	for _, t := range texts {
		for i := range len(t) {
			if a.class[t[i]] == 0 && a.row < 256 {
				a.class[t[i]] = uint8(a.row)
				a.row++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		a.class[c] = a.class[c+'a'-'A']
	}
	a.state()
}

// state adds a state and returns its number.
func (a *automaton) state() int32 {
	for range a.row {
		a.next = append(a.next, -1)
	}
	a.found = append(a.found, nil)
	return int32(len(a.found) - 1)
}

// insert adds the path of a text.
func (a *automaton) insert(text string, id int32) {
	s := int32(0)
	for i := range len(text) {
		k := s*a.row + int32(a.class[text[i]])
		if a.next[k] < 0 {
			n := a.state()
			a.next[k] = n
		}
		s = a.next[k]
	}
	a.found[s] = append(a.found[s], id)
}

// link completes the table: where a path does not go on, the longest end of it
// that begins another one does.
func (a *automaton) link() {
	fail := make([]int32, len(a.found))
	var queue []int32
	for c := range a.row {
		if n := a.next[c]; n < 0 {
			a.next[c] = 0
		} else {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.found[s] = append(a.found[s], a.found[fail[s]]...)
		for c := range a.row {
			k, other := s*a.row+c, a.next[fail[s]*a.row+c]
			if n := a.next[k]; n < 0 {
				a.next[k] = other
			} else {
				fail[n] = other
				queue = append(queue, n)
			}
		}
	}
}

// finish makes states the indexes of their rows and marks the final ones.
func (a *automaton) finish() {
	for k, n := range a.next {
		marked := n * a.row
		if len(a.found[n]) > 0 {
			marked |= -final
		}
		a.next[k] = marked
	}
}

// scan calls hit with the texts that end at each place where some do.
func (a *automaton) scan(text []byte, hit func(ids []int32)) {
	s := int32(0)
	for _, c := range text {
		s = a.next[s+int32(a.class[c])]
		if s < 0 {
			s &^= -final
			hit(a.found[s/a.row])
		}
	}
}
