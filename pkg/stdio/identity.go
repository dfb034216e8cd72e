package stdio

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An identity tells a file from others of its directory, whatever their names: inodes
// alone are used again. The zero value is that of no regular file.
type identity struct{ inode, born uint64 }

func identityOf(f *os.File, info os.FileInfo) identity {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{st.Ino, birth(f)}
}

// A listed is a regular file of a directory.
type listed struct {
	path     string
	id       identity
	size     int64
	modified time.Time
}

// list returns those of paths that are regular files.
func list(paths []string) (files []listed) {
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			files = append(files, listed{path, identityOf(f, info), info.Size(), info.ModTime()})
		}
		_ = f.Close() // it was only looked at
	}
	return files
}
