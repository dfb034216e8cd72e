package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/fault"
)

// sealName is the file that says what the others are like since the broker stopped: most
// of kfake's have no checksum. It is gone while a broker runs, and after a kill -9.
const sealName = ".seal"

// seal notes what the files are like that a broker has left.
func (d *dataDir) seal() error {
	lines, err := d.describe()
	if err == nil {
		err = os.WriteFile(filepath.Join(d.path, sealName), []byte(strings.Join(lines, "")), 0o600)
	}
	if err != nil {
		return fmt.Errorf("data directory %q: %w", d.path, err)
	}
	return nil
}

// unseal checks that the files are those that a broker has left, where it had the time to
// note them.
func (d *dataDir) unseal() error {
	path := filepath.Join(d.path, sealName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var lines []string
	if err == nil {
		lines, err = d.describe()
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if !slices.Contains(lines, line) {
			name := strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]) // topics have none in theirs
			return fault.Hint(
				fmt.Errorf("%q is not what it was when the broker stopped", filepath.Join(d.path, name)),
				fmt.Sprintf("restore it from a copy; or rm %s takes the files as they are", path))
		}
	}
	return os.Remove(path)
}

// describe returns a line of each file: its hash, size and name. Segments have checksums
// of their own, and need no hash; indexes follow from them.
func (d *dataDir) describe() (lines []string, _ error) {
	files := os.DirFS(d.path)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		var hash uint64
		var size int64
		switch name := e.Name(); {
		case name == lockName, name == sealName, name == secretsName, filepath.Ext(name) == ".idx":
			return nil
		case filepath.Ext(name) == ".dat":
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				size = info.Size()
			}
		default:
			var data []byte
			data, err = fs.ReadFile(files, path)
			hash, size = xxh3.Hash(data), int64(len(data))
		}
		lines = append(lines, fmt.Sprintf("%016x %d %s\n", hash, size, path))
		return err
	})
	return lines, err
}
