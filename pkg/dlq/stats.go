package dlq

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/letter"
)

// Stats are counts of the dead letters.
type Stats struct {
	Letters     int      `json:"letters"` // not done with
	Bytes       int64    `json:"bytes"`
	Replayed    int      `json:"replayed"`
	CameBack    int      `json:"came_back"` // letters that were replayed before they died
	Purged      int      `json:"purged"`
	Oldest      string   `json:"oldest,omitempty"`
	Newest      string   `json:"newest,omitempty"`
	LastHour    int      `json:"last_hour"`
	PerMinute   float64  `json:"per_minute"` // in the last five minutes
	ByClass     []Count  `json:"by_class"`
	BySignature []Count  `json:"by_signature"`
	BySource    []Source `json:"by_source"`
	ByAge       []Count  `json:"by_age"`
	Alerts      []string `json:"alerts"`
}

// A Count is how many letters have something in common.
type Count struct {
	Name    string  `json:"name"`
	Kind    string  `json:"kind,omitempty"`
	Class   string  `json:"class,omitempty"`
	Pattern string  `json:"pattern,omitempty"` // of a signature: the message without what differs
	Example string  `json:"example,omitempty"` // the id of one letter
	Count   int     `json:"count"`
	Share   float64 `json:"share"`
}

// A Source is how many letters came from one topic or file.
type Source struct {
	Name     string   `json:"name"`
	Count    int      `json:"count"`
	LastHour int      `json:"last_hour"`
	Records  *int64   `json:"records_last_hour"` // of the topic; null where unknown
	Rate     *float64 `json:"dead_share"`        // of the records of the last hour; null where unknown
}

// ages are the steps of Stats.ByAge.
var ages = []age{
	{"under 1m", time.Minute},
	{"under 1h", time.Hour},
	{"under 24h", 24 * time.Hour},
	{"under 7d", 7 * 24 * time.Hour},
	{"older", 1<<63 - 1},
}

type age struct {
	name string
	most time.Duration
}

// Stats counts the letters. records returns how many records a topic had in the last
// hour, or false if that is not known.
func (x *Index) Stats(now int64, records func(topic string) (int64, bool)) Stats {
	list := x.Letters()
	s := Stats{
		Letters: len(list), Replayed: x.Marked(Replayed), Purged: x.Marked(Purged), CameBack: x.Again(),
		ByClass: []Count{}, BySignature: []Count{}, BySource: []Source{}, ByAge: []Count{}, Alerts: []string{},
	}
	classes, signs, byAge := tally{}, tally{}, tally{}
	sources := map[string]*Source{}
	var oldest, newest int64
	fiveMinutes := 0
	for i := range list {
		l := &list[i]
		s.Bytes += int64(l.Size)
		classes.add(l.Class, Count{Kind: l.Kind, Example: l.ID()})
		signs.add(l.Sign(), Count{Class: l.Class, Pattern: letter.Pattern(l.Reason), Example: l.ID()})
		src := sources[l.Source]
		if src == nil {
			src = &Source{Name: l.Source}
			sources[l.Source] = src
		}
		src.Count++
		if l.When == 0 {
			continue
		}
		oldest, newest = least(oldest, l.When), max(newest, l.When)
		since := time.Duration(now - l.When)
		step := slices.IndexFunc(ages, func(a age) bool { return since < a.most })
		byAge.add(ages[step].name, Count{})
		if since < time.Hour {
			s.LastHour++
			src.LastHour++
		}
		if since < 5*time.Minute {
			fiveMinutes++
		}
	}
	s.PerMinute = float64(fiveMinutes) / 5
	s.Oldest, s.Newest = format(oldest), format(newest)
	s.ByClass, s.BySignature = classes.list(len(list)), signs.list(len(list))
	s.ByAge = byAge.list(len(list))
	s.addSources(sources, records)
	s.Alerts = s.alerts(now, oldest)
	return s
}

func least(a, b int64) int64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func format(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (s *Stats) addSources(sources map[string]*Source, records func(string) (int64, bool)) {
	for _, src := range sources {
		if n, ok := records(src.Name); ok {
			src.Records = &n
			if n > 0 {
				rate := float64(src.LastHour) / float64(n)
				src.Rate = &rate
			}
		}
		s.BySource = append(s.BySource, *src)
	}
	slices.SortFunc(s.BySource, func(a, b Source) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
}

// tally counts by name.
type tally map[string]*Count

// add counts one; like says what is told of the first.
func (t tally) add(name string, like Count) {
	c := t[name]
	if c == nil {
		c = &like
		c.Name = name
		t[name] = c
	}
	c.Count++
}

// list returns the counts, the greatest first.
func (t tally) list(all int) []Count {
	list := make([]Count, 0, len(t))
	for _, c := range t {
		c.Share = float64(c.Count) / float64(max(all, 1))
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// From when on something is alarming.
const (
	alarmRate    = 0.05 // of a topic's records in the last hour
	alarmClass   = 0.5  // of all letters, where there are some
	alarmAge     = 24 * time.Hour
	alarmSuccess = 0.8 // of what was replayed
	fewLetters   = 10  // too few to speak of shares
)

// alerts returns one message for each thing that is alarming, however many
// letters there are of it.
func (s *Stats) alerts(now, oldest int64) []string {
	list := []string{}
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, src := range s.BySource {
		if src.Rate != nil && *src.Rate > alarmRate {
			say("%.1f %% of the records of %q in the last hour are dead letters (%s of %s)", 100**src.Rate, src.Name,
				human.Count(int64(src.LastHour)), human.Count(*src.Records))
		}
	}
	if len(s.ByClass) > 0 && s.Letters >= fewLetters && s.ByClass[0].Share > alarmClass {
		c := s.ByClass[0]
		say("%.0f %% of the dead letters are %s (%s), as %s", 100*c.Share, c.Name, human.Count(int64(c.Count)), c.Example)
	}
	if age := time.Duration(now - oldest); oldest > 0 && age > alarmAge {
		say("the oldest dead letter has waited for %s", human.Duration(age))
	}
	if s.Replayed >= fewLetters {
		if ok := 1 - float64(s.CameBack)/float64(s.Replayed); ok < alarmSuccess {
			say("of %s replayed letters %s came back: %.0f %% succeeded", human.Count(int64(s.Replayed)),
				human.Count(int64(s.CameBack)), 100*max(ok, 0))
		}
	}
	return list
}
