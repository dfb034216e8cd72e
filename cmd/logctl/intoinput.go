package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// checkFile refuses to append to a file that is read: what is written would be read again.
// Rotated output has names of its own.
func (p *pipeline) checkFile(path string, opt stdio.FileOptions) error {
	out, err := os.Stat(path)
	if err != nil || opt.RotateSize > 0 || opt.RotateEvery > 0 {
		return nil //nolint:nilerr // a new file is nobody's input, and Create says what is wrong with another
	}
	return p.checkInputs(out)
}

// checkStdout is checkFile for what the shell has made of stdout.
func (p *pipeline) checkStdout(w io.Writer) error {
	file, ok := w.(*os.File)
	if !ok {
		return nil
	}
	out, err := file.Stat()
	if err != nil {
		return nil //nolint:nilerr // writing to it says what is wrong
	}
	return p.checkInputs(out)
}

func (p *pipeline) checkInputs(out os.FileInfo) error {
	if !out.Mode().IsRegular() {
		return nil
	}
	for _, e := range p.endpoints {
		if e.Scheme != stream.File {
			continue
		}
		paths, err := filepath.Glob(e.Path)
		if err != nil {
			return nil //nolint:nilerr // opening the input says what is wrong
		}
		for _, path := range append(paths, e.Path) {
			if in, err := os.Stat(path); err == nil && os.SameFile(in, out) {
				return fault.Usagef("write to another file, and rename it when all is there",
					"%q is both input and output", path)
			}
		}
	}
	return nil
}
