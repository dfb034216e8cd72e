// Package dlq reads dead letters: it lists and counts them by kind, age and source, and
// knows which have been replayed or purged.
//
// That a letter was replayed or purged is noted beside the letters, as a mark: a record
// without a value whose headers name the place of the letter. So every reader of the
// letters knows it, on any machine, and it is as durable as the letters.
package dlq

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// The headers of a mark.
const (
	markHeader = "logctl-mark"    // what was done: Replayed or Purged
	ofHeader   = "logctl-mark-of" // the letter: PARTITION@OFFSET
)

// What a mark says.
const (
	Replayed = "replayed"
	Purged   = "purged"
)

// A Place is where a letter stands among the dead letters.
type Place struct {
	Source    string
	Topic     bool
	Partition int32
	Offset    int64
}

// String writes the place as topic/partition@offset or file@offset.
func (p Place) String() string {
	return letter.Origin{Source: p.Source, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset}.ID()
}

// PlaceOf returns where record i of b stands.
func PlaceOf(b *record.Batch, i int) Place {
	p := Place{Offset: b.Recs[i].Offset}
	if o := b.Origin; o != nil {
		p.Source, p.Topic = o.Source, o.Topic
		if o.Topic { // of a file it tells it from others of its name, and differs when it is written anew
			p.Partition = o.Partition
		}
	}
	return p
}

// A Letter is what is known of one dead letter without its payload.
type Letter struct {
	letter.State
	Place  Place
	When   int64 // when it died, ns since 1970; 0 where nobody says
	Size   int   // of the payload, in bytes
	Key    string
	HasKey bool
}

// ReadLetter returns record i of b as a letter, or false if it is not one but, for
// instance, a mark.
func ReadLetter(b *record.Batch, i int) (Letter, bool) {
	s, ok := letter.Read(b, i)
	if !ok {
		return Letter{}, false
	}
	if s.Class == "" { // it died before it was tried
		s.Class, s.Kind = retry.Parse, retry.Permanent
	}
	if s.Signature == 0 {
		s.Signature = letter.Sign(s.Class, s.Reason)
	}
	rec := &b.Recs[i]
	l := Letter{State: s, Place: PlaceOf(b, i), When: s.Last, Size: int(rec.Value.Len)}
	if l.When == 0 && l.Place.Topic && rec.Stamp != record.NoTime {
		l.When = rec.Stamp
	}
	if rec.Flags&record.HasKey != 0 {
		l.Key, l.HasKey = string(b.Bytes(rec.Key)), true
	}
	return l, true
}

// A Filter chooses letters. Its zero value chooses all.
type Filter struct {
	Classes    []string // classes or kinds, in any case of letters
	Sources    []string // topics or files that they came from
	Signatures []string // as Letter.Sign writes them
	IDs        []string // origins or places
	Since      int64    // ns since 1970; 0 for ever
}

// Sign writes the signature.
func (l *Letter) Sign() string { return fmt.Sprintf("%016x", l.Signature) }

// Takes reports whether the filter chooses a letter.
func (f *Filter) Takes(l *Letter) bool {
	is := retry.Error{Kind: l.Kind, Class: l.Class}
	switch {
	case len(f.Classes) > 0 && !slices.ContainsFunc(f.Classes, is.Is),
		len(f.Sources) > 0 && !slices.Contains(f.Sources, l.Source),
		len(f.Signatures) > 0 && !slices.Contains(f.Signatures, l.Sign()),
		len(f.IDs) > 0 && !slices.Contains(f.IDs, l.ID()) && !slices.Contains(f.IDs, l.Place.String()),
		f.Since > 0 && l.When < f.Since:
		return false
	}
	return true
}

// An Index collects what is known of all letters, without their payloads. It is a
// stream.Sink.
type Index struct {
	Filter  Filter
	Others  int // records that are neither letters nor marks
	letters []Letter
	marks   map[Place]string
	classes map[string]bool // of all letters, chosen or not
	sources map[string]bool // the same
}

// Write takes in letters and marks.
func (x *Index) Write(rows record.Rows) error {
	if x.marks == nil {
		x.marks, x.classes, x.sources = map[Place]string{}, map[string]bool{}, map[string]bool{}
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		if of, what, ok := readMark(rows.Batch, i); ok {
			x.marks[of] = what
			continue
		}
		l, ok := ReadLetter(rows.Batch, i)
		if !ok {
			x.Others++
			continue
		}
		x.classes[l.Class], x.sources[l.Source] = true, true
		if x.Filter.Takes(&l) {
			x.letters = append(x.letters, l)
		}
	}
	return nil
}

// Sources returns where the letters came from, chosen or not.
func (x *Index) Sources() []string { return slices.Sorted(maps.Keys(x.sources)) }

// CheckClasses returns an error for a class of the filter that is not one of logctl's
// own and that no letter has, chosen or not. If there are no letters at all, any class
// is accepted.
func (x *Index) CheckClasses() error {
	seen := slices.Sorted(maps.Keys(x.classes))
	known := slices.Concat(seen, retry.Classes, retry.Kinds)
	for _, name := range x.Filter.Classes {
		is := func(k string) bool { return strings.EqualFold(k, name) }
		if len(seen) == 0 || slices.ContainsFunc(known, is) {
			continue
		}
		return fault.Usagef(cmp.Or(nearClass(name, known), "there are "+strings.Join(seen, ", ")),
			"no dead letter is of class %q", name)
	}
	return nil
}

// Misspelt returns a hint if a name resembles one of logctl's own classes and kinds, ""
// if it is one of them or resembles none.
func Misspelt(name string) string {
	known := slices.Concat(retry.Classes, retry.Kinds)
	if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
		return ""
	}
	return nearClass(name, known)
}

// nearClass hints at the nearest class, which is in capitals, or kind, which is not.
func nearClass(name string, known []string) string {
	return cmp.Or(fault.DidYouMean(strings.ToUpper(name), known), fault.DidYouMean(strings.ToLower(name), known))
}

// part names the partition of a place.
func (p Place) part() Place {
	p.Offset = 0
	return p
}

// Letters returns the chosen letters that were neither replayed nor purged, in the
// order in which they were read.
func (x *Index) Letters() []Letter {
	return slices.DeleteFunc(slices.Clone(x.letters), func(l Letter) bool { return x.marks[l.Place] != "" })
}

// Unpurged returns the chosen letters that were not purged, including those that were
// replayed.
func (x *Index) Unpurged() []Letter {
	return slices.DeleteFunc(slices.Clone(x.letters), func(l Letter) bool { return x.marks[l.Place] == Purged })
}

// Done returns the mark of the letter at a place, "" if it has none.
func (x *Index) Done(p Place) string { return x.marks[p] }

// Marked counts the chosen letters with a mark of that kind.
func (x *Index) Marked(what string) (n int) {
	for i := range x.letters {
		if x.marks[x.letters[i].Place] == what {
			n++
		}
	}
	return n
}

// Again counts the chosen letters that had been replayed before they failed, with a
// mark or without.
func (x *Index) Again() (n int) {
	for i := range x.letters {
		if x.letters[i].State.Replayed > 0 {
			n++
		}
	}
	return n
}

// AddMark appends the mark of a letter to a batch.
func AddMark(b *record.Batch, of Place, what string) {
	rec := b.Add(nil)
	rec.Flags |= record.Tombstone
	first := len(b.Headers)
	for _, h := range [][2]string{
		{markHeader, what}, {ofHeader, strconv.Itoa(int(of.Partition)) + "@" + strconv.FormatInt(of.Offset, 10)},
	} {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h[0]), Value: record.AppendSpan(b, h[1])})
	}
	rec.Headers = record.Span{Off: uint32(first), Len: uint32(len(b.Headers) - first)}
}

// readMark reads a mark.
func readMark(b *record.Batch, i int) (of Place, what string, ok bool) {
	rec := &b.Recs[i]
	if rec.Flags&record.Tombstone == 0 {
		return of, "", false
	}
	of = PlaceOf(b, i).part()
	found := false
	for _, h := range b.HeadersOf(rec) {
		switch string(b.Bytes(h.Key)) {
		case markHeader:
			what = string(b.Bytes(h.Value))
		case ofHeader:
			part, offset, _ := strings.Cut(string(b.Bytes(h.Value)), "@")
			n, err1 := strconv.ParseInt(part, 10, 32)
			at, err2 := strconv.ParseInt(offset, 10, 64)
			found = err1 == nil && err2 == nil
			of.Partition, of.Offset = int32(n), at
		}
	}
	return of, what, found && (what == Replayed || what == Purged)
}

// DoneUpTo returns for each partition of a topic of dead letters the offset before
// which every letter was replayed or purged. Partitions without such letters are left
// out.
func (x *Index) DoneUpTo() map[int32]int64 {
	open, last := map[int32]int64{}, map[int32]int64{}
	for i := range x.letters {
		p := x.letters[i].Place
		if x.marks[p] == "" {
			if at, ok := open[p.Partition]; !ok || p.Offset < at {
				open[p.Partition] = p.Offset
			}
		} else {
			last[p.Partition] = max(last[p.Partition], p.Offset+1)
		}
	}
	for n, at := range open {
		last[n] = min(last[n], at)
	}
	for n, at := range last {
		if at == 0 {
			delete(last, n)
		}
	}
	return last
}
