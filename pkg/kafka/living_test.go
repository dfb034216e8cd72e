package kafka

import (
	"testing"
	"time"
)

// A member lives when it was seen for a session and is still there. One that was away
// begins anew.
func TestLiving(t *testing.T) {
	const session = 8 * time.Second
	l, began := living{}, time.Unix(1_700_000_000, 0)
	for _, step := range []struct {
		at   time.Duration
		here string
		want bool
	}{
		{0, "a", false},
		{session, "a", false},
		{session + 1, "a", true},
		{session + 2, "", false},
		{session + 3, "a", false},
		{2*session + 4, "a", true},
	} {
		var members []Member
		if step.here != "" {
			members = []Member{{ID: step.here}, {ID: "other"}}
		}
		lives := l.note(members, began.Add(step.at), session)
		if got := lives("a"); got != step.want {
			t.Errorf("after %v, with %q in the group: lives %v", step.at, step.here, got)
		}
		if lives("who") {
			t.Error("one that was never there lives")
		}
	}
}
