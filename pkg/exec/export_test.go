package exec

// Unfinished returns how many records are not finished.
func (s *Sink) Unfinished() int { return s.track.opened() }

// ParseAnswer reads a line of a handler: whether it is output, and why it is a
// failure.
func ParseAnswer(line []byte) (output bool, kind string) {
	a := parseAnswer(line)
	if a.err != nil {
		kind = a.err.Kind
	}
	return a.output, kind
}
