package limit

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// A Backoff says how long to wait before trying again: Base, then twice as
// long each time, up to Most. Its zero value is DefaultBackoff.
type Backoff struct{ Base, Most time.Duration }

// DefaultBackoff is used unless the user says otherwise.
var DefaultBackoff = Backoff{100 * time.Millisecond, 10 * time.Second}

const backoffHint = "as in 100ms..10s (from, twice as long each time, to) or 1s (always)"

// ParseBackoff reads BASE..MOST, or one duration for both.
func ParseBackoff(s string) (Backoff, error) {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		to = from
	}
	base, err1 := human.ParseDuration(from)
	most, err2 := human.ParseDuration(to)
	if err1 != nil || err2 != nil || base <= 0 || most < base {
		return Backoff{}, fault.Usagef(backoffHint, "%q does not say how long to wait between attempts", s)
	}
	return Backoff{base, most}, nil
}

// Delay returns how long to wait after a failed attempt; the first attempt is number 1.
// Half of the delay is random, so that clients which failed together do not come back
// together. Equal sources of chance give equal delays.
func (b Backoff) Delay(attempt int, chance *rand.Rand) time.Duration {
	if b == (Backoff{}) {
		b = DefaultBackoff
	}
	d := math.Ldexp(float64(b.Base), max(attempt, 1)-1)
	d = min(d, float64(b.Most))
	return time.Duration(d/2 + d/2*chance.Float64())
}
