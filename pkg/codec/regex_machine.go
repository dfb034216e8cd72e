package codec

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// A machine finds what a regular expression matches, leftmost and by the order of
// its alternatives, as package regexp does, and allocates nothing for it. It tries
// alternatives one after the other and remembers from where it has: no text takes
// longer than its length times that of the program. It is for one goroutine.
type machine struct {
	re       *regexp.Regexp
	prog     *syntax.Prog
	ascii    [][2]uint64 // by instruction: which characters below 128 it takes
	anchored bool        // it matches at the beginning of the text or not at all
	prefix   []byte      // what every match begins with; not of one that is anchored

	text []byte
	seen []uint64 // by alternative and place: tried
	jobs []matchJob
	at   []int // where groups begin and end, as far as tried
}

// A matchJob is what to try next when all before it has failed: an instruction at
// a place or, where restore is set, a group's bound as it was.
type matchJob struct {
	pc, pos int
	restore bool
}

// maxSeen bounds the bits that a machine remembers: 32 KiB. Longer texts are left
// to package regexp.
const maxSeen = 1 << 18

func newMachine(re *regexp.Regexp) *machine {
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil // re has been parsed before
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	m := &machine{re: re, prog: prog, ascii: make([][2]uint64, len(prog.Inst)), at: make([]int, 2*re.NumSubexp()+2)}
	for pc := range prog.Inst {
		for r := range rune(utf8.RuneSelf) {
			if takes(&prog.Inst[pc], r) {
				m.ascii[pc][r/64] |= 1 << (r % 64)
			}
		}
	}
	m.anchored = prog.StartCond()&syntax.EmptyBeginText != 0
	if prefix, _ := re.LiteralPrefix(); !m.anchored {
		m.prefix = []byte(prefix)
	}
	return m
}

// takes reports whether an instruction is one that takes the character r.
func takes(inst *syntax.Inst, r rune) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1:
		return inst.MatchRune(r)
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	default:
		return false
	}
}

// find returns what FindSubmatchIndex does; it is good until the next call.
func (m *machine) find(text []byte) []int {
	size := len(m.prog.Inst) * (len(text) + 1)
	if size > maxSeen {
		return m.re.FindSubmatchIndex(text)
	}
	words := (size + 63) / 64
	m.seen = slices.Grow(m.seen[:0], words)[:words]
	clear(m.seen)
	m.text = text
	for start := 0; start <= len(text); {
		if len(m.prefix) > 0 {
			skip := bytes.Index(text[start:], m.prefix)
			if skip < 0 {
				return nil
			}
			start += skip
		}
		if m.matches(start) {
			return m.at
		}
		if m.anchored {
			return nil
		}
		_, n := utf8.DecodeRune(text[start:])
		start += max(n, 1)
	}
	return nil
}

// matches reports whether there is a match that begins at start. What failed from
// an earlier start fails again.
func (m *machine) matches(start int) bool {
	for i := range m.at {
		m.at[i] = -1
	}
	m.at[0] = start
	m.jobs = append(m.jobs[:0], matchJob{pc: m.prog.Start, pos: start})
	for len(m.jobs) > 0 {
		j := m.jobs[len(m.jobs)-1]
		m.jobs = m.jobs[:len(m.jobs)-1]
		if j.restore {
			m.at[j.pc] = j.pos
			continue
		}
		if m.follow(j.pc, j.pos) {
			return true
		}
	}
	return false
}

// follow goes on from an instruction at a place until it fails or matches, and
// leaves other alternatives as jobs.
func (m *machine) follow(pc, pos int) bool {
	for {
		inst := &m.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			if !m.visit(pc, pos) {
				return false
			}
			m.jobs = append(m.jobs, matchJob{pc: int(inst.Arg), pos: pos})
		case syntax.InstCapture:
			if slot := int(inst.Arg); slot < len(m.at) {
				m.jobs = append(m.jobs, matchJob{pc: slot, pos: m.at[slot], restore: true})
				m.at[slot] = pos
			}
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^m.around(pos) != 0 {
				return false
			}
		case syntax.InstNop:
		case syntax.InstMatch:
			m.at[1] = pos
			return true
		default:
			n := m.step(pc, pos)
			if n == 0 {
				return false
			}
			pos += n
		}
		pc = int(inst.Out)
	}
}

// visit notes that an alternative is tried at a place; false where it was before.
func (m *machine) visit(pc, pos int) bool {
	bit := pc*(len(m.text)+1) + pos
	word, mask := &m.seen[bit/64], uint64(1)<<(bit%64)
	if *word&mask != 0 {
		return false
	}
	*word |= mask
	return true
}

// step returns how many bytes of the text an instruction takes, 0 where none.
func (m *machine) step(pc, pos int) int {
	if pos == len(m.text) {
		return 0
	}
	if c := m.text[pos]; c < utf8.RuneSelf {
		return int(m.ascii[pc][c/64] >> (c % 64) & 1)
	}
	r, n := utf8.DecodeRune(m.text[pos:])
	if !takes(&m.prog.Inst[pc], r) {
		return 0
	}
	return n
}

// around returns the conditions that hold at a place: of lines, of the text, of
// words.
func (m *machine) around(pos int) syntax.EmptyOp {
	before, after := rune(-1), rune(-1)
	if pos > 0 {
		before, _ = utf8.DecodeLastRune(m.text[:pos])
	}
	if pos < len(m.text) {
		after, _ = utf8.DecodeRune(m.text[pos:])
	}
	return syntax.EmptyOpContext(before, after)
}
