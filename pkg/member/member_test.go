package member_test

import (
	"path/filepath"
	"testing"

	"github.com/logctl/logctl/pkg/member"
)

func claim(t *testing.T, root, group string) *member.Slot {
	t.Helper()
	s, err := member.Claim(root, group)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARestartTakesItsOldName(t *testing.T) {
	root := t.TempDir()
	a := claim(t, root, "g")
	b := claim(t, root, "g")
	if a.ID == b.ID || a.Dir == b.Dir {
		t.Errorf("two instances share %q in %q", a.ID, a.Dir)
	}
	if other := claim(t, root, "h"); other.ID == a.ID {
		t.Error("two groups share a name")
	}
	if err := a.Release(); err != nil {
		t.Fatal(err)
	}
	if again := claim(t, root, "g"); again.ID != a.ID {
		t.Errorf("the name was %q, now it is %q", a.ID, again.ID)
	}
}

func TestGroupsStayInTheirDirectory(t *testing.T) {
	root := t.TempDir()
	for _, group := range []string{"..", "../../x", ".", "a/b"} {
		s := claim(t, root, group)
		if parent := filepath.Dir(filepath.Dir(s.Dir)); parent != root {
			t.Errorf("group %q lies in %q", group, parent)
		}
	}
}
