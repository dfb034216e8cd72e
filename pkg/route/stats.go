package route

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/sketch"
)

// Stats count what was decided and limited, across changes of the rules. All members and
// methods may be used while records are routed.
type Stats struct {
	Default  atomic.Int64 // records that no rule matched
	Sampled  atomic.Int64 // matches that a rule's sample left out
	Reloads  atomic.Int64 // tables that came into force after the first one
	Rejected atomic.Int64 // changed rules that were wrong, and did not
	Sheds    atomic.Int64 // times that load was shed
	Lag      atomic.Int64 // of the readers that decide about it, when last looked at
	Unknown  atomic.Int64 // times that it could not be had

	newest int64 // time at the limits of rules, for whoever processes

	mu      sync.Mutex
	rules   map[string]*RuleStats
	limits  map[string]*limit.Bucket // by the names and the limits of rules
	latency sketch.Quantiles
	waited  float64 // sum of latency
}

// RuleStats count what one rule did.
type RuleStats struct {
	Hits    atomic.Int64 // records that it matched
	Limited atomic.Int64 // of them, those that its limit left out
}

// rule returns the counts of the rule of a name, which go on where it comes back.
func (s *Stats) rule(name string) *RuleStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules == nil {
		s.rules = map[string]*RuleStats{}
	}
	if s.rules[name] == nil {
		s.rules[name] = new(RuleStats)
	}
	return s.rules[name]
}

// limit returns what the limit of a rule has let through. It goes on where the rule comes
// back with the same limit: it is not to let as much through once more whenever rules change.
func (s *Stats) limit(r *Rule) *limit.Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits == nil {
		s.limits = map[string]*limit.Bucket{}
	}
	key := r.Rate + " " + r.Name
	if s.limits[key] == nil {
		s.limits[key] = &limit.Bucket{Schedule: r.Limit}
	}
	return s.limits[key]
}

// Of returns the counts of a rule.
func (s *Stats) Of(name string) *RuleStats { return s.rule(name) }

// decided notes how long after its arrival a batch was decided.
func (s *Stats) decided(ns int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seconds := float64(max(ns, 0)) / 1e9
	s.latency.Add(seconds)
	s.waited += seconds
}

// Latency returns how many seconds passed from the arrival of a record until it
// was decided where it goes, over all batches.
func (s *Stats) Latency() (q sketch.Quantiles) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.Merge(&s.latency)
	return q
}

// LatencySum returns the sum of what Latency is the distribution of.
func (s *Stats) LatencySum() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waited
}

// Rules calls f with the counts of every rule that is or was in force, by name.
func (s *Stats) Rules(f func(name string, counts *RuleStats)) {
	s.mu.Lock()
	all := maps.Clone(s.rules)
	s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f(name, all[name])
	}
}
