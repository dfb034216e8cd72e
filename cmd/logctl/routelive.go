package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// A rulebook is where rules come from: a file, or a topic that gives a fleet its
// rules. Rules that change are tried first: wrong ones leave the last good ones in
// force.
type rulebook struct {
	*routing
	parse func(name string, text []byte) (*route.File, error)
	table *kafka.Table // nil for a file
	files *ruleFiles   // that rules of a file name
	shed  *shedder     // nil where nothing is shed

	gone atomic.Pointer[error] // why the topic is followed no more; nil while it is

	mu   sync.Mutex // one change at a time, from the reading of what has changed on
	text []byte     // of the rules in force
	seen []byte     // what was tried last

	last []byte // what the file held when it was looked at last: who writes it may be in the midst of that
}

// openRules reads the rules for the first time.
func (r *routing) openRules() error {
	r.book = &rulebook{routing: r, files: newRuleFiles(r.flags.rules)}
	r.book.parse = r.book.parseRules
	if r.flags.classify != "" {
		return r.openClasses()
	}
	if r.flags.rules == "" {
		return fault.Usagef("as in --rules rules.yaml, or --classify default", "route needs rules")
	}
	e, err := stream.ParseEndpoint(r.flags.rules)
	if err != nil {
		return err
	}
	if e.Scheme == stream.Kafka {
		err = r.book.openTopic(e)
	} else {
		r.book.text, err = os.ReadFile(r.flags.rules)
		if err != nil {
			err = fault.Usagef("", "reading rules %q: %w", r.flags.rules, fault.Reason(err))
		}
	}
	r.book.seen = r.book.text
	return err
}

// parseRules reads rules; those of a file may name others.
func (b *rulebook) parseRules(name string, text []byte) (*route.File, error) {
	if b.table != nil {
		return route.Parse(name, text, nil)
	}
	return route.Parse(name, text, b.files.read)
}

// read reads rules that say where records go that none of them matches.
func (b *rulebook) read(text []byte) (*route.File, error) {
	f, err := b.parse(b.flags.rules, text)
	if err == nil && f.Default == nil {
		f.Default = []string{"-"}
	}
	return f, err
}

// openClasses reads the classes of urgency.
func (r *routing) openClasses() (err error) {
	r.book.parse, r.flags.rules = route.ParseClasses, r.flags.classify
	r.book.text = []byte(route.DefaultClasses)
	if r.flags.classify != defaultClasses {
		if r.book.text, err = os.ReadFile(r.flags.classify); err != nil {
			err = fault.Usagef("--classify default takes the classes that are built in", "reading classes %q: %w",
				r.flags.classify, fault.Reason(err))
		}
	}
	r.book.seen = r.book.text
	return err
}

// defaultClasses names the classes that are built in.
const defaultClasses = "default"

func (b *rulebook) openTopic(e stream.Endpoint) error {
	if e.Pattern || len(e.Topics) != 1 {
		return fault.Usagef("as in --rules kafka:rules", "--rules %q: want one topic", b.flags.rules)
	}
	conn, err := b.p.flags.kafka.config(e)
	if err != nil {
		return err
	}
	if b.table, err = kafka.OpenTable(b.p.cmd.Context(), conn, e.Topics[0]); err != nil {
		return err
	}
	b.p.atEnd(b.table.Close)
	b.text, err = route.FromEntries(b.table.Values())
	return err
}

// watch follows the rules until the returned function is called.
func (b *rulebook) watch() (stop func() error) {
	ctx, cancel := context.WithCancel(b.p.cmd.Context())
	var watching sync.WaitGroup
	switch {
	case b.table != nil:
		watching.Go(func() {
			if err := b.table.Follow(ctx, b.topicChanged); err != nil {
				err = fmt.Errorf("rules are followed no more: %w", err)
				b.gone.Store(&err)
				note(b.p.cmd, "%v", err)
			}
		})
	case b.flags.watch && b.flags.classify != defaultClasses:
		watching.Go(func() { stdio.Watch(ctx, b.watched, b.written) })
	}
	if b.shed != nil {
		watching.Go(func() { b.shed.watch(ctx) })
	}
	return func() error { cancel(); watching.Wait(); return nil }
}

// ready says why rules of a fleet may be out of date here; nil where they are not.
func (b *rulebook) ready() error {
	if err := b.gone.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *rulebook) topicChanged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, err := route.FromEntries(b.table.Values())
	if err != nil {
		b.reject(err)
		return
	}
	b.changed(text)
}

// watched are the files that make up the rules.
func (b *rulebook) watched() []string { return append(b.files.paths(), b.flags.rules) }

// written takes files that may hold something new, when they hold the same at two looks,
// or were written before that.
func (b *rulebook) written() {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, err := os.ReadFile(b.flags.rules)
	if err != nil {
		b.reject(fmt.Errorf("reading rules %q: %w", b.flags.rules, fault.Reason(err)))
		return
	}
	info, err := os.Stat(b.flags.rules)
	settled := bytes.Equal(text, b.last) || err == nil && time.Since(info.ModTime()) > stdio.Settling
	if b.last = text; settled {
		b.changed(text)
	}
}

// changed puts what rules are now in force, or says what is wrong with them. The book is
// locked since before they were read: what is saved meanwhile is newer.
func (b *rulebook) changed(text []byte) {
	if bytes.Equal(text, b.seen) && !b.files.changed() {
		return
	}
	b.seen = text
	t, err := b.try(text)
	if err != nil {
		b.reject(err)
		return
	}
	b.enforce(t, text)
}

// emptyRules says that a file of rules is empty, as one that was cut off.
func emptyRules(path string) error {
	return fault.Usagef("rules: [] is a file without rules", "%s: there is nothing in it", path)
}

// try compiles rules and opens their destinations. A text that is empty is no set of rules:
// somebody has cut the file off, and all records would go to the default.
func (b *rulebook) try(text []byte) (*route.Table, error) {
	if route.IsEmpty(text) {
		return nil, emptyRules(b.flags.rules)
	}
	f, err := b.read(text)
	if err != nil {
		return nil, err
	}
	opt := b.options
	opt.Dests = b.dests.set
	if f, err = b.shed.apply(f, &opt); err != nil {
		return nil, err
	}
	return route.Compile(f, opt)
}

func (b *rulebook) enforce(t *route.Table, text []byte) {
	b.live.Set(t)
	b.text, b.seen = text, text
	b.stats.Reloads.Add(1)
	note(b.p.cmd, "%s: %s in force", b.flags.rules, count(len(t.File.Rules), "rule"))
}

func (b *rulebook) reject(err error) {
	b.stats.Rejected.Add(1)
	note(b.p.cmd, "the rules in force stay: %v%s", err, suffix(fault.HintOf(err)))
}
