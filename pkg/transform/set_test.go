package transform_test

import (
	"testing"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/transform"
)

func TestSetWantsExpressions(t *testing.T) {
	for src, status := range map[string]int{
		"y": fault.Usage, "x=1, y": fault.Usage, "y , x=1": fault.Usage,
		"y=y": fault.OK, "y = (a + b)": fault.OK, `x="a,b", y=min(a, b)`: fault.OK, "y=a or b, z=-1": fault.OK,
	} {
		if _, err := transform.NewSet(src, record.NewPlan()); fault.Status(err) != status {
			t.Errorf("%q: %v", src, err)
		}
	}
}
