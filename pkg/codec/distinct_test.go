package codec

import (
	"strings"
	"testing"
)

func TestDistinct(t *testing.T) {
	for _, tt := range []struct{ names, want string }{
		{"a,b,c", "a,b,c"},
		{"a,b,a", "a,b,a_2"},
		{"a,a,a", "a,a_2,a_3"},
		{"a,a,a_2", "a,a_3,a_2"},
		{"a,a_2,a,a", "a,a_2,a_3,a_4"},
		{"a,,", "a,,"},
	} {
		if got := strings.Join(distinct(strings.Split(tt.names, ",")), ","); got != tt.want {
			t.Errorf("distinct(%s) = %s, want %s", tt.names, got, tt.want)
		}
	}
}
