package window

import "github.com/logctl/logctl/pkg/aggregate"

// What is noted of a group, in groups.marks.
const (
	unsaved uint8 = 1 << iota // its entry has changed since the last call of Changes
	unsaid                    // it has changed since the last update was written
)

// Groups are keys with the states of their aggregates, and what is noted of them.
type groups struct {
	*aggregate.Table
	cells *aggregate.Cells

	saved   int     // groups that Changes has given away: the first ones, perhaps not all of them
	saving  int     // the group that it goes on with
	marks   []uint8 // what is noted of the groups; may be shorter than they are many
	unsaved bool    // any of them is marked so
	unsaid  bool    // likewise
}

// A pane holds the groups of a stretch of time in which no window begins or ends.
type pane struct {
	start, end int64
	groups
	counted int     // groups that the operator knows of
	run     uint32  // the number of the groups, as a part
	older   []*part // groups that came before, in memory or not
}

// newGroups returns none, with memory for like's.
func (o *Op) newGroups(like *groups) groups {
	var keys *aggregate.Table
	if like != nil {
		keys = like.Table
	}
	return groups{Table: aggregate.NewTable(keys), cells: o.set.NewCells()}
}

// merged returns the groups of all parts together: of a single part itself.
func (o *Op) merged(parts []*groups) (*groups, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	var most *groups
	for _, p := range parts {
		if most == nil || p.Len() > most.Len() {
			most = p
		}
	}
	all := o.newGroups(most)
	for _, p := range parts {
		if err := all.merge(p); err != nil {
			return nil, err
		}
	}
	return &all, nil
}

// merge adds the groups of from, without what is noted of them.
func (gs *groups) merge(from *groups) error {
	for g := range uint32(from.Len()) {
		kind, text := from.Key(g)
		to, err := gs.Group(from.Hash(g), kind, text)
		if err != nil {
			return err
		}
		gs.cells.Grow(gs.Len())
		gs.cells.Merge(to, from.cells, g)
	}
	return nil
}

// note adds marks to a group.
func (gs *groups) note(g uint32, marks uint8) {
	if marks == 0 {
		return
	}
	gs.widenMarks()
	gs.marks[g] |= marks
	gs.unsaved = gs.unsaved || marks&unsaved != 0
	gs.unsaid = gs.unsaid || marks&unsaid != 0
}

// noteAll sets all that is noted at all for some groups.
func (gs *groups) noteAll(list []uint32, marks uint8) {
	gs.widenMarks()
	for _, g := range list {
		gs.marks[g] = marks
	}
	gs.unsaved, gs.unsaid = marks&unsaved != 0, marks&unsaid != 0
}

func (gs *groups) widenMarks() {
	if n := gs.Len() - len(gs.marks); n > 0 {
		gs.marks = append(gs.marks, make([]uint8, n)...)
	}
}

// unsave marks all groups as unsaved.
func (gs *groups) unsave() {
	gs.widenMarks()
	for g := range gs.marks {
		gs.marks[g] |= unsaved
	}
	gs.unsaved = gs.Len() > 0
}

// is reports whether something is noted of a group.
func (gs *groups) is(mark uint8, g uint32) bool {
	return int(g) < len(gs.marks) && gs.marks[g]&mark != 0
}

// forget takes a mark away from all groups.
func (gs *groups) forget(mark uint8) {
	for g := range gs.marks {
		gs.marks[g] &^= mark
	}
	gs.unsaved, gs.unsaid = gs.unsaved && mark != unsaved, gs.unsaid && mark != unsaid
}
