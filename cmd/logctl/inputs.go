package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/term"
)

// inputFlags say where records come from and how they are read. Every command
// that reads records has them.
type inputFlags struct {
	from      []string
	format    string
	multiline string
	timeField string
	envelope  bool
	follow    bool
	maxRecord int64
	idle      time.Duration
	strict    bool
	dlq       string
}

func (f *inputFlags) add(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.from, "from", nil,
		"read from `ENDPOINT`: a file, a glob, -, kafka:TOPIC, http:HOST:PORT, sqlite:FILE#TABLE (repeatable)")
	fs.StringVar(&f.format, "format", "auto",
		"`FORMAT` of the input: auto, ndjson, json, csv, tsv, ssv, ltsv, logfmt, common, combined, syslog, otlp, "+
			"zeek, w3c, docker, cri, plain, csv:NAMES, regex:PATTERN")
	fs.StringVar(&f.multiline, "multiline", "",
		"join lines that do not match `REGEX`, the start of a record, to the one before")
	fs.StringVar(&f.timeField, "time-field", "",
		"`FIELD` of the event time (default timestamp or another of its names: ts, time, @timestamp, …)")
	fs.BoolVar(&f.envelope, "envelope", false, "lines are envelopes: key, headers, time and value of Kafka records")
	fs.BoolVarP(&f.follow, "follow", "f", false, "wait for more at the end of files, across rotation and truncation")
	sizeVar(fs, &f.maxRecord, "max-record", codec.DefaultMaxRecord, "a longer record is bad; memory stays bounded")
	durationVar(fs, &f.idle, "idle", 30*time.Second, "how long a partition at its end holds the others' time")
	fs.BoolVar(&f.strict, "strict", false, "stop with status 1 at the first bad record")
	fs.StringVar(&f.dlq, "dlq", "", "write bad records, raw and with their reason, to `ENDPOINT`")
}

// endpoints returns where to read from: --from or the arguments, else stdin.
func (f *inputFlags) endpoints(args []string) (endpoints, error) {
	if len(f.from) > 0 && len(args) > 0 {
		return nil, fault.Usagef("name all inputs one way", "both --from %q and the argument %q", f.from[0], args[0])
	}
	names := slices.Concat(f.from, args)
	if len(names) == 0 {
		names = []string{"-"}
	}
	return parseEndpoints(names)
}

// mostRecord bounds --max-record: places in a batch are numbers of 32 bits.
const mostRecord = 1 << 30

// decoder returns what turns the bytes of the input into records with fields.
// With objects, records of formats that are no JSON become JSON objects.
func (f *inputFlags) decoder(objects bool) (*codec.Decoder, error) {
	if f.maxRecord < 1 || f.maxRecord > mostRecord {
		return nil,
			fault.Usagef("", "--max-record %s: want between 1 and %s", human.Size(f.maxRecord), human.Size(mostRecord))
	}
	return codec.New(codec.Options{
		Format: f.format, Multiline: f.multiline, MaxRecord: int(f.maxRecord), Strict: f.strict, Envelope: f.envelope,
		Check: f.format != "auto", Objects: objects,
	})
}

// openSources opens the endpoints. Files and topics stay in their order.
func (p *pipeline) openSources() ([]stream.Source, error) {
	if p.made != nil {
		return []stream.Source{p.made}, nil
	}
	opt := p.reading()
	var sources []stream.Source
	for i := 0; i < len(p.endpoints); {
		files := leadingFiles(p.endpoints[i:])
		var opened []stream.Source
		var err error
		if len(files) > 0 {
			opened, err = stdio.Open(files, opt)
			err = fault.Hint(err, p.misplaced(files))
		} else {
			opened, err = p.openSource(p.endpoints[i], opt)
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, opened...)
		i += max(len(files), 1)
	}
	if p.flags.input.follow && len(sources) > 1 { // the end of the run, which says it too, is far away
		p.OnFailed = func(err error) { note(p.cmd, "%v; the other inputs are read on", err) }
	}
	return sources, nil
}

// leadingFiles returns the files that a list begins with, which are opened together.
func leadingFiles(list endpoints) (paths []string) {
	for _, e := range list {
		if e.Scheme != stream.File {
			break
		}
		paths = append(paths, e.Path)
	}
	return paths
}

// misplaced says what was meant where a file that is not there looks like a command, like
// what other tools take as an operand, an aggregate or a condition, or like a topic.
func (p *pipeline) misplaced(paths []string) string {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil || strings.ContainsRune(path, filepath.Separator) {
			continue
		}
		flag := ""
		switch {
		case strings.ContainsAny(path, "<>=~"):
			flag = "where"
		case strings.HasSuffix(path, ")"):
			flag = "agg"
		}
		if p.cmd.Flag(flag) != nil {
			return fmt.Sprintf("operands are inputs; did you mean --%s '%s'?", flag, path)
		}
		if command := fault.Nearest(path, commandNames(p.cmd)); command != "" {
			return fmt.Sprintf("operands are inputs; did you mean %s %s?", p.cmd.CommandPath(), command)
		}
		if flag == "" && stream.ValidTopic(path) && !strings.ContainsRune(path, '.') {
			return "a topic is written kafka:" + path
		}
	}
	return ""
}

// reading says how files and pipes are read.
func (p *pipeline) reading() stdio.Options {
	f := &p.flags.input
	return stdio.Options{
		Format: p.decoder, MaxRecord: int(f.maxRecord), Follow: f.follow, Grows: p.Continues, Uncounted: p.checkpoint != nil,
		Strict: f.strict, Note: p.say,
	}
}

func (p *pipeline) openSource(e stream.Endpoint, opt stdio.Options) ([]stream.Source, error) {
	switch e.Scheme {
	case stream.Stdio:
		in, ok := p.cmd.InOrStdin().(*os.File)
		if !ok {
			return []stream.Source{stdio.NewReader(p.cmd.InOrStdin(), "stdin", opt)}, nil
		}
		if term.IsTerminal(in) {
			note(p.cmd, "reading from the terminal; end with Ctrl-D")
		}
		return []stream.Source{stdio.Stdin(in, opt)}, nil
	case stream.SQLite:
		src, err := store.OpenSource(p.cmd.Context(), e.Path, e.Table)
		if err != nil {
			return nil, err
		}
		p.atEnd(src.Close)
		return []stream.Source{src}, nil
	case stream.Kafka:
		src, err := p.consumer.open(p, e)
		if err != nil {
			return nil, err
		}
		return []stream.Source{src}, nil
	case stream.HTTP:
		src, err := p.flags.http.open(p, e.Addr)
		if err != nil {
			return nil, err
		}
		return []stream.Source{src}, nil
	case stream.Null, stream.Postgres, stream.File:
	}
	return nil, fault.Usagef("a file, -, kafka:TOPIC, http:HOST:PORT or sqlite:FILE#TABLE",
		"nothing can be read from %s: yet", e.Scheme)
}

// live reports whether the input has no end of its own: then grace is finite
// and what is read may come late.
func (p *pipeline) live() bool {
	for _, e := range p.endpoints {
		switch e.Scheme {
		case stream.Kafka:
			if !p.consumer.finite() {
				return true
			}
		case stream.HTTP:
			return true
		case stream.Stdio:
			if !stdinIsFile() {
				return true
			}
		default:
			if p.flags.input.follow {
				return true
			}
		}
	}
	return false
}

// stdinIsFile reports whether stdin is a regular file, whose end is known.
func stdinIsFile() bool {
	info, err := os.Stdin.Stat()
	return err == nil && info.Mode().IsRegular()
}
