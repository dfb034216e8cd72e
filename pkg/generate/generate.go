// Package generate makes log records that look like those of real systems, for
// trying things out, for load and for tests. Equal options make equal bytes.
package generate

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// Options say what is made. The zero value of a field is its default.
type Options struct {
	Profile   string  // one of Profiles
	Seed      uint64  // equal seeds make equal records
	Start     int64   // event time of the first record, ns since 1970
	Step      int64   // event time between records, ns; by default a millisecond
	Late      float64 // share of records stamped one to ten minutes early
	Disorder  float64 // share of records stamped up to two seconds early
	Malformed float64 // share of records that are cut short
}

// A Generator makes one record after another. It belongs to one goroutine.
type Generator struct {
	opt  Options
	rnd  *rand.Rand
	zipf *rand.Zipf // picks services: a few are busy
	seq  uint64
	made func(g *Generator, dst []byte) []byte // appends the profile's fields
	at   int64                                 // event time of the record being made

	shoppers []shopper // profile users
	hosts    []host    // profiles metrics and anomalies
}

// profiles are the kinds of records, by name.
var profiles = map[string]func(g *Generator, dst []byte) []byte{
	"http":      (*Generator).http,
	"app":       (*Generator).app,
	"metrics":   (*Generator).metrics,
	"users":     (*Generator).users,
	"anomalies": (*Generator).anomalies,
	"priority":  (*Generator).priority,
}

// Profiles returns the names of the profiles, sorted.
func Profiles() []string {
	var names []string
	for name := range profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// New returns a generator. An unknown profile is wrong usage.
func New(opt Options) (*Generator, error) {
	made, ok := profiles[opt.Profile]
	if !ok {
		return nil, fault.Usagef(fault.DidYouMean(opt.Profile, Profiles()),
			"unknown profile %q: want one of %v", opt.Profile, Profiles())
	}
	for _, share := range []float64{opt.Late, opt.Disorder, opt.Malformed} {
		if share < 0 || share > 1 {
			return nil, fault.Usagef("0.01 is one record in a hundred", "a share of records must be from 0 to 1, got %v", share)
		}
	}
	if opt.Step == 0 {
		opt.Step = 1e6
	}
	rnd := rand.New(rand.NewPCG(opt.Seed, 0x6c6f6763746c)) //nolint:gosec // equal seeds must make equal records
	return &Generator{opt: opt, rnd: rnd, made: made, zipf: rand.NewZipf(rnd, 1.3, 3, uint64(len(services)-1))}, nil
}

// Append appends the next record, an NDJSON line without its end, and returns
// its event time.
func (g *Generator) Append(dst []byte) ([]byte, int64) {
	g.at = g.opt.Start + int64(g.seq)*g.opt.Step - g.delay()
	start := len(dst)
	dst = append(dst, `{"timestamp":"`...)
	dst = stamp.AppendRFC3339(dst, g.at)
	dst = append(dst, `","id":"`...)
	dst = strconv.AppendUint(dst, g.opt.Seed, 36)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, g.seq, 10)
	dst = append(dst, '"')
	dst = g.made(g, dst)
	dst = append(dst, '}')
	g.seq++
	if g.chance(g.opt.Malformed) {
		dst = dst[:start+1+g.rnd.IntN(len(dst)-start-1)]
	}
	return dst, g.at
}

// delay returns how much earlier than its turn the next record is stamped.
func (g *Generator) delay() int64 {
	switch {
	case g.chance(g.opt.Late):
		return int64(60e9 + g.rnd.Float64()*540e9)
	case g.chance(g.opt.Disorder):
		return int64(g.rnd.Float64() * 2e9)
	default:
		return 0
	}
}

// chance is true for the given share of calls. A share of zero takes nothing
// from the random numbers, so that switching it on changes nothing else before.
func (g *Generator) chance(share float64) bool { return share > 0 && g.rnd.Float64() < share }

func pick[T any](g *Generator, from []T) T { return from[g.rnd.IntN(len(from))] }

// Fields as JSON members, each with a comma before it.

func text(dst []byte, name, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return record.AppendQuoted(dst, value)
}

func integer(dst []byte, name string, value int) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return strconv.AppendInt(dst, int64(value), 10)
}

// decimal writes value with two places.
func decimal(dst []byte, name string, value float64) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return strconv.AppendFloat(dst, value, 'f', 2, 64)
}

func hex(dst []byte, name string, value uint64) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[value>>shift&15])
	}
	return append(dst, '"')
}
