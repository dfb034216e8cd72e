package main

import (
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// outputFlags say where records go and how they are written.
type outputFlags struct {
	to          []string
	format      string
	unique      []string
	rotateSize  int64
	rotateEvery time.Duration

	template string // of --template, where a command has it
}

func (f *outputFlags) add(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.to, "to", nil,
		"write to `ENDPOINT`: a file, -, kafka:TOPIC, sqlite:FILE#TABLE, postgres://HOST/DB#TABLE, null: "+
			"(repeatable; default stdout)")
	addForm(fs, &f.format, codec.Encodings...)
	fs.StringSliceVar(&f.unique, "unique", nil, "tables: `FIELDS` that name a row; a later record replaces it")
	sizeVar(fs, &f.rotateSize, "rotate-size", 0, "files: begin another one after so many bytes (0: never)")
	durationVar(fs, &f.rotateEvery, "rotate-every", 0, "files: begin another one after so long (0: never)")
}

// wantsObjects reports whether the output is made of fields: a form with columns,
// -o json where it is asked for, or a table of a database.
func (f *outputFlags) wantsObjects(cmd *cobra.Command) bool {
	switch {
	case f.template != "":
		return false
	case f.format == "envelope":
		return false
	case f.format != "json" || cmd.Flags().Changed("output"):
		return true
	}
	return slices.ContainsFunc(f.to, func(to string) bool {
		e, err := stream.ParseEndpoint(to)
		return err == nil && slices.Contains(databases, e.Scheme)
	})
}

// check refuses forms that contradict --template. Asked says that
// the user named the form.
func (f *outputFlags) check(asked bool) error {
	switch {
	case f.format == "template" && f.template == "":
		return fault.Usagef(`as in consume --template '%k %v\n'`, "-o template needs a --template")
	case f.template != "" && asked && f.format != "template":
		return fault.Usagef("leave one of them out", "both --template and -o %s say how records are written", f.format)
	}
	return nil
}

func (f *outputFlags) encoder(width int) (codec.Encoder, error) {
	if f.template != "" {
		return codec.NewEncoder("template", codec.EncodeOptions{Template: f.template})
	}
	return codec.NewEncoder(f.format, codec.EncodeOptions{Width: width})
}

// files says how files are written. The form has been checked by opening an
// encoder once.
func (f *outputFlags) files(durable bool) (stdio.FileOptions, error) {
	_, err := f.encoder(0)
	return stdio.FileOptions{
		Encoder:    func() codec.Encoder { enc, _ := f.encoder(0); return enc },
		RotateSize: f.rotateSize, RotateEvery: f.rotateEvery, Durable: durable,
	}, err
}

// endpoints returns where to write to, stdout where nothing is said.
func (f *outputFlags) endpoints() (endpoints, error) {
	to := f.to
	if len(to) == 0 {
		to = []string{"-"}
	}
	var list endpoints
	for k, name := range to {
		if slices.Contains(to[:k], name) { // two that append to one would mix their lines
			return nil, fault.Usagef("name each output once", "--to %q is there twice", name)
		}
		e, err := stream.ParseEndpoint(name)
		if err != nil {
			return nil, err
		}
		if e.Scheme == stream.Kafka && (e.Pattern || len(e.Topics) != 1) {
			return nil, fault.Usagef("repeat --to for several", "endpoint %q: want one topic to write to", name)
		}
		list = append(list, e)
	}
	return list, nil
}
