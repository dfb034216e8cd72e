package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/stream"
)

// httpInput says how posted records are taken in.
type httpInput struct {
	ackMode  string
	maxBody  int64
	defaults []string

	// What a command sets beside its flags.
	bucket *limit.Bucket                            // one token a record
	wait   time.Duration                            // how long a request may wait for its tokens
	closed func() (why string, retry time.Duration) // nothing is taken for now

	opened []*httpapi.Intake
}

func (f *httpInput) add(fs *pflag.FlagSet) {
	f.ackMode = ackModes[0]
	choiceVar(fs, &f.ackMode, "ack-mode", ackModes,
		"`WHEN` a request is answered 202: durable (its records are stored), accept (they are taken in)")
	sizeVar(fs, &f.maxBody, "max-body", httpapi.DefaultMaxBody, "greatest size of a request")
	fs.StringArrayVar(&f.defaults, "default", nil, "give records that lack it a field: `FIELD=VALUE` (repeatable)")
}

// ackModes are the values of --ack-mode.
var ackModes = []string{"durable", "accept"}

// checkUse refuses flags of posted records where none are taken in.
func (f *httpInput) checkUse(p *pipeline) error {
	if p.takesPosts() {
		return nil
	}
	return refuseUnused(p.cmd, new(httpInput).add, "taking in posted records, and no input is that",
		"as in --from http::8080")
}

// takesPosts reports whether records are posted to one of the inputs.
func (p *pipeline) takesPosts() bool {
	return p.endpoints.of(stream.HTTP) > 0
}

// config returns how an address takes records in.
func (f *httpInput) config(p *pipeline, addr string) (httpapi.IntakeConfig, error) {
	d := &p.flags.daemon
	token, err := readSecret(d.tokenFile)
	if err != nil {
		return httpapi.IntakeConfig{}, err
	}
	conf, err := d.certificate().config()
	if err != nil {
		return httpapi.IntakeConfig{}, err
	}
	cfg := httpapi.IntakeConfig{
		Config:  httpapi.Config{Addr: addr, Token: token, TLS: conf},
		MaxBody: f.maxBody, MaxRecord: int(p.flags.input.maxRecord), Early: f.ackMode == "accept",
		Fill: !p.flags.input.envelope, Refuse: p.flags.input.dlq == "",
		Bucket: f.bucket, Wait: f.wait, Closed: f.closed,
	}
	if f.maxBody < 1 || f.maxBody > mostRecord {
		return cfg, fault.Usagef("", "--max-body %s: want between 1 and %s", human.Size(f.maxBody), human.Size(mostRecord))
	}
	for _, text := range f.defaults {
		field, value, ok := strings.Cut(text, "=")
		if !ok || field == "" {
			return cfg, fault.Usagef("as in --default service=web", "--default %q: want FIELD=VALUE", text)
		}
		cfg.Defaults = append(cfg.Defaults, httpapi.Default{Field: field, Value: value})
	}
	const most = 32 // a record's missing fields are bits of a word
	if len(cfg.Defaults) > most {
		return cfg, fault.Usagef("", "%d times --default: want at most %d", len(cfg.Defaults), most)
	}
	return cfg, nil
}

// open listens on an address.
func (f *httpInput) open(p *pipeline, addr string) (stream.Source, error) {
	cfg, err := f.config(p, addr)
	if err != nil {
		return nil, err
	}
	p.flags.daemon.certificate().warn(p.cmd, cfg.TLS)
	in, err := httpapi.ListenIntake(p.cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	if f.opened = append(f.opened, in); len(f.opened) == 1 {
		p.notes = append(p.notes, f.says)
	}
	p.atEnd(in.Close)
	p.metrics = append(p.metrics, in)
	p.Prepare = append(p.Prepare, in) // behind --where
	p.starters = append(p.starters, func() {
		note(p.cmd, "taking in records on %s", in.URL())
		go func() {
			if err := in.Serve(); err != nil {
				note(p.cmd, "%v", err)
			}
		}()
	})
	return in, nil
}

// says adds what was not taken to the summary.
func (f *httpInput) says() string {
	var refused, throttled int64
	for _, in := range f.opened {
		refused += in.Refused()
		throttled += in.Throttled()
	}
	var parts []string
	for _, x := range []struct {
		what string
		n    int64
	}{{"requests refused", refused}, {"throttled", throttled}} {
		if x.n > 0 {
			parts = append(parts, x.what+" "+human.Count(x.n))
		}
	}
	return strings.Join(parts, ", ")
}
