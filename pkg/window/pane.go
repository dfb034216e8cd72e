package window

import "github.com/logctl/logctl/pkg/aggregate"

// A pane holds the groups of a stretch of time: their keys and, for each of them,
// the states of the aggregates.
type pane struct {
	start int64
	*aggregate.Table
	cells   *aggregate.Cells
	counted int // groups that the operator knows of
	saved   int // groups that Changes has given away: the first ones

	marks   []uint8 // what is noted of the groups; may be shorter than they are many
	unsaved bool    // any of them is marked so
	unsaid  bool    // likewise
}

// newPane returns an empty pane with memory for like's groups.
func (o *Op) newPane(start int64, like *pane) *pane {
	var keys *aggregate.Table
	if like != nil {
		keys = like.Table
	}
	return &pane{start: start, Table: aggregate.NewTable(keys), cells: o.set.NewCells()}
}

// merge adds the groups of from.
func (p *pane) merge(from *pane) error {
	for g := range uint32(from.Len()) {
		kind, text := from.Key(g)
		to, err := p.Group(from.Hash(g), kind, text)
		if err != nil {
			return err
		}
		p.cells.Grow(p.Len())
		p.cells.Merge(to, from.cells, g)
		if int(g) < len(from.marks) {
			p.note(to, from.marks[g]&unsaid)
		}
	}
	return nil
}

// note adds marks to a group.
func (p *pane) note(g uint32, marks uint8) {
	if marks == 0 {
		return
	}
	p.widenMarks()
	p.marks[g] |= marks
	p.unsaved = p.unsaved || marks&unsaved != 0
	p.unsaid = p.unsaid || marks&unsaid != 0
}

// noteAll sets all that is noted at all for some groups.
func (p *pane) noteAll(groups []uint32, marks uint8) {
	p.widenMarks()
	for _, g := range groups {
		p.marks[g] = marks
	}
	p.unsaved, p.unsaid = marks&unsaved != 0, marks&unsaid != 0
}

func (p *pane) widenMarks() {
	if n := p.Len() - len(p.marks); n > 0 {
		p.marks = append(p.marks, make([]uint8, n)...)
	}
}

// changed reports whether a group has changed since the last update.
func (p *pane) changed(g uint32) bool { return int(g) < len(p.marks) && p.marks[g]&unsaid != 0 }

// said forgets what was noted for updates.
func (p *pane) said() {
	if !p.unsaid {
		return
	}
	for g := range p.marks {
		p.marks[g] &^= unsaid
	}
	p.unsaid = false
}
