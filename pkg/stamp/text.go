package stamp

import (
	"fmt"
	"strings"

	"github.com/logctl/logctl/pkg/human"
)

// ParseText reads a time as people type it: a timestamp of any form that
// Parser reads, now, or a distance from now such as -15m, now-15m or now+1d.
// now is in ns since 1970, as is the result.
func ParseText(s string, now int64) (int64, error) {
	text := strings.TrimSpace(s)
	rest, relative := strings.CutPrefix(text, "now")
	if relative && rest == "" {
		return now, nil
	}
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		d, err := human.ParseDuration(rest[1:])
		if rest[0] == '-' {
			d = -d
		}
		sum := now + int64(d)
		if err != nil || rest[1] == '-' || (sum > now) != (d > 0) && d != 0 {
			return 0, noTime(s)
		}
		return sum, nil
	}
	var p Parser
	ns, ok := p.Parse([]byte(text), now)
	if !ok {
		return 0, noTime(s)
	}
	return ns, nil
}

func noTime(s string) error {
	return fmt.Errorf("%q is no time: want now, a distance as in -15m, a date, or a time as in 2026-11-24T10:00:00Z", s)
}
