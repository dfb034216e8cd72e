package engine

import "slices"

// roundOff deals with what is left of records that share an offset with some that were
// dealt with, as those of one request: where state or output are of one moment with the
// positions, one between them would have the first ones come twice. They need not be
// next in time order, or stand behind a row that the operator had to be ticked at.
func (r *run) roundOff() error {
	if r.Vault == nil && !r.Exactly {
		return nil
	}
	for _, t := range r.tasks {
		for _, l := range slices.Clone(t.mine) { // those that come to an end leave it
			for l.split() && !r.out.full() {
				if err := t.tell(r.Now(), false, r.out); err != nil {
					return err
				}
				if err := r.process(t, t.take(l, forever, 1)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// split reports whether the next row has the offset of the one before it.
func (l *lane) split() bool {
	if len(l.queue) == 0 || l.row == 0 {
		return false
	}
	b := l.queue[0]
	return b.Origin != nil && l.row < len(b.Recs) && b.Recs[l.row].Offset == b.Recs[l.row-1].Offset
}
