package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/logctl/logctl/pkg/record"
)

// A sample is what one look at the machine has shown. What is nil is unknown.
type sample struct {
	at     int64  // ns since 1970
	cpu    *times // since the machine was started
	load   []float64
	memory map[string]int64 // bytes, by the names of /proc/meminfo
	space  *space
	disks  *traffic // since the machine was started
}

// times are those of all processors, in ticks.
type times struct{ user, system, idle, iowait, all uint64 }

type space struct{ total, available, used uint64 }

type traffic struct{ read, written uint64 }

// look takes a sample of the machine whose files are under root.
func look(root string) sample {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil // unknown, which is no failure
		}
		return text
	}
	return sample{
		at:     time.Now().UnixNano(),
		cpu:    readTimes(read("proc/stat")),
		load:   readLoad(read("proc/loadavg")),
		memory: readMemory(read("proc/meminfo")),
		space:  readSpace(root),
		disks:  readDisks(read("proc/diskstats"), wholeDisks(root)),
	}
}

// unknown names what the sample lacks.
func (s *sample) unknown() string {
	var names []string
	for _, f := range []struct {
		name  string
		known bool
	}{
		{"cpu", s.cpu != nil},
		{"load", s.load != nil},
		{"memory", s.memory != nil},
		{"disk space", s.space != nil},
		{"disk traffic", s.disks != nil},
	} {
		if !f.known {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}

// readTimes reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq, steal; what guests take is part of user.
func readTimes(text []byte) *times {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) < 6 || string(fields[0]) != "cpu" {
		return nil
	}
	var n [8]uint64
	var t times
	for i, f := range fields[1:min(len(fields), 9)] {
		n[i], _ = strconv.ParseUint(string(f), 10, 64)
		t.all += n[i]
	}
	t.user, t.system, t.idle, t.iowait = n[0]+n[1], n[2]+n[5]+n[6], n[3], n[4]
	return &t
}

func readLoad(text []byte) []float64 {
	fields := bytes.Fields(text)
	if len(fields) < 3 {
		return nil
	}
	load := make([]float64, 3)
	for i := range load {
		f, ok := record.ParseNumber(fields[i])
		if !ok {
			return nil
		}
		load[i] = f
	}
	return load
}

// readMemory reads /proc/meminfo, which counts in KiB.
func readMemory(text []byte) map[string]int64 {
	memory := map[string]int64{}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		fields := bytes.Fields(value)
		if len(fields) == 2 && string(fields[1]) == "kB" {
			if n, err := strconv.ParseInt(string(fields[0]), 10, 64); err == nil {
				memory[string(name)] = n << 10
			}
		}
	}
	if memory["MemTotal"] == 0 {
		return nil
	}
	return memory
}

func readSpace(path string) *space {
	var fs syscall.Statfs_t
	if syscall.Statfs(path, &fs) != nil || fs.Blocks == 0 {
		return nil
	}
	size := uint64(fs.Bsize)
	return &space{total: fs.Blocks * size, available: fs.Bavail * size, used: (fs.Blocks - fs.Bfree) * size}
}

// wholeDisks returns the names of disks, without partitions and without what is
// made of other disks or of memory: their bytes would count twice.
func wholeDisks(root string) map[string]bool {
	entries, err := os.ReadDir(filepath.Join(root, "sys/block"))
	if err != nil {
		return nil
	}
	disks := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		layered, _ := os.ReadDir(filepath.Join(root, "sys/block", name, "slaves"))
		if len(layered) == 0 && !strings.HasPrefix(name, "loop") && !strings.HasPrefix(name, "ram") &&
			!strings.HasPrefix(name, "zram") {
			disks[name] = true
		}
	}
	return disks
}

// readDisks adds up /proc/diskstats, which counts sectors of 512 bytes.
func readDisks(text []byte, disks map[string]bool) *traffic {
	if text == nil || disks == nil {
		return nil
	}
	var t traffic
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 10 || !disks[string(fields[2])] {
			continue
		}
		read, _ := strconv.ParseUint(string(fields[5]), 10, 64)
		written, _ := strconv.ParseUint(string(fields[9]), 10, 64)
		t.read += read * 512
		t.written += written * 512
	}
	return &t
}
