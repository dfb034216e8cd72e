package table_test

import (
	"testing"

	"github.com/logctl/logctl/pkg/table"
)

func TestHome(t *testing.T) {
	for _, c := range []struct {
		bound, now table.Home
		renew, bad bool
	}{
		{"c1 t1", "c1 t1", false, false},
		{"c1", "c1 t1", true, false}, // bound by an earlier build
		{"c1", "c1", false, false},
		{"c1 t1", "c1", false, false}, // from a broker that gives no ids
		{"c1 t1", "c1 t2", false, true},
		{"c1 t1", "c2 t1", false, true},
		{"c1", "c2 t1", false, true},
	} {
		renew, err := c.now.Settle("app", c.bound)
		if renew != c.renew || (err != nil) != c.bad {
			t.Errorf("bound to %q, found in %q: renew %v, %v", c.bound, c.now, renew, err)
		}
	}
}
