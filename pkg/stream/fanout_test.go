package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// plain is a sink that can only write; full can do more.
type plain struct {
	name string
	log  *[]string
	err  error
}

func (p plain) note(what string) error {
	*p.log = append(*p.log, p.name+" "+what)
	return p.err
}

func (p plain) Write(rows record.Rows) error {
	return p.note(fmt.Sprintf("write %d-%d", rows.Lo, rows.Hi))
}

type full struct{ plain }

func (f full) Flush(context.Context) error { return f.note("flush") }
func (f full) Push() error                 { return f.note("push") }

func TestFanoutOfOne(t *testing.T) {
	one := full{}
	if got := stream.Fanout(one); got != stream.Sink(one) {
		t.Errorf("a single sink becomes %T", got)
	}
}

func TestFanout(t *testing.T) {
	broken := errors.New("no space left")
	for _, c := range []struct {
		name  string
		err   error // of the second sink
		write string
		rest  string
	}{
		{"all", nil, "[a write 1-3 b write 1-3 c write 1-3]", "[b flush c flush b push c push]"},
		{"the second fails", broken, "[a write 1-3 b write 1-3]", "[b flush c flush b push c push]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log []string
			f := stream.Fanout(plain{"a", &log, nil}, full{plain{"b", &log, c.err}}, full{plain{"c", &log, nil}})
			if err := f.Write(record.Rows{Lo: 1, Hi: 3}); !errors.Is(err, c.err) {
				t.Errorf("write: %v, want %v", err, c.err)
			}
			if got := fmt.Sprint(log); got != c.write {
				t.Errorf("got %s, want %s", got, c.write)
			}
			log = nil
			if err := f.(stream.Flusher).Flush(t.Context()); !errors.Is(err, c.err) {
				t.Errorf("flush: %v, want %v", err, c.err)
			}
			if err := f.(stream.Pusher).Push(); !errors.Is(err, c.err) {
				t.Errorf("push: %v, want %v", err, c.err)
			}
			if got := fmt.Sprint(log); got != c.rest {
				t.Errorf("got %s, want %s", got, c.rest)
			}
		})
	}
}
