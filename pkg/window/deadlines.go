package window

// A deadline is when a session closes, unless it is extended meanwhile.
type deadline struct {
	at   int64
	span int32
}

// Deadlines are a heap, the least at its top.
type deadlines []deadline

func (h *deadlines) push(d deadline) {
	q := append(*h, d)
	*h = q
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if q[up].at <= d.at {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = d
}

func (h *deadlines) pop() deadline {
	q := *h
	top, d := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	if len(q) == 0 {
		return top
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(q) {
			break
		}
		if down+1 < len(q) && q[down+1].at < q[down].at {
			down++
		}
		if q[down].at >= d.at {
			break
		}
		q[i] = q[down]
		i = down
	}
	q[i] = d
	return top
}
