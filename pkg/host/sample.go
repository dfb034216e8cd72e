package host

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
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

// appendRecord appends what was seen now, and what has happened since before.
func appendRecord(dst []byte, host string, before, now sample) []byte {
	w := &writer{dst: append(dst, '{')}
	w.name("timestamp")
	w.dst = append(stamp.AppendRFC3339(append(w.dst, '"'), now.at), '"')
	w.name("host")
	if host == "" {
		w.dst = append(w.dst, "null"...)
	} else {
		w.dst = record.AppendQuoted(w.dst, host)
	}
	w.number("cpus", float64(runtime.NumCPU()), true)
	w.cpu(before.cpu, now.cpu)
	for i, name := range []string{"load1", "load5", "load15"} {
		w.number(name, at(now.load, i), now.load != nil)
	}
	w.memory(now.memory)
	w.space(now.space)
	w.traffic(before, now)
	return append(w.dst, '}')
}

func at(list []float64, i int) float64 {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// A writer writes the members of an object.
type writer struct {
	dst  []byte
	more bool
}

func (w *writer) name(name string) {
	if w.more {
		w.dst = append(w.dst, ',')
	}
	w.more = true
	w.dst = append(append(append(w.dst, '"'), name...), '"', ':')
}

// number writes a number with at most two places, null where it is not known.
func (w *writer) number(name string, value float64, known bool) {
	w.name(name)
	switch {
	case !known:
		w.dst = append(w.dst, "null"...)
	case value == float64(int64(value)):
		w.dst = strconv.AppendInt(w.dst, int64(value), 10)
	default:
		w.dst = strconv.AppendFloat(w.dst, value, 'f', 2, 64)
	}
}

// share writes a part of a whole in percent.
func (w *writer) share(name string, part, whole float64, known bool) {
	w.number(name, 100*part/whole, known && whole > 0)
}

func (w *writer) cpu(before, now *times) {
	known := before != nil && now != nil
	if !known {
		before, now = &times{}, &times{}
	}
	all := since(before.all, now.all)
	idle, iowait := since(before.idle, now.idle), since(before.iowait, now.iowait)
	w.share("cpu_percent", max(all-idle-iowait, 0), all, known)
	w.share("cpu_user_percent", since(before.user, now.user), all, known)
	w.share("cpu_system_percent", since(before.system, now.system), all, known)
	w.share("cpu_iowait_percent", iowait, all, known)
}

// since returns how much a counter has risen. Some of the kernel's go back a
// little at times.
func since(before, now uint64) float64 {
	if now < before {
		return 0
	}
	return float64(now - before)
}

func (w *writer) memory(m map[string]int64) {
	total, available := float64(m["MemTotal"]), float64(m["MemAvailable"])
	_, known := m["MemAvailable"] // older kernels do not tell
	w.number("memory_total_bytes", total, m != nil)
	w.number("memory_available_bytes", available, known)
	w.share("memory_used_percent", total-available, total, known)
	w.number("swap_total_bytes", float64(m["SwapTotal"]), m != nil)
	w.number("swap_used_bytes", float64(m["SwapTotal"]-m["SwapFree"]), m != nil)
}

func (w *writer) space(s *space) {
	known := s != nil
	if !known {
		s = &space{}
	}
	w.number("disk_total_bytes", float64(s.total), known)
	w.number("disk_available_bytes", float64(s.available), known)
	w.share("disk_used_percent", float64(s.used), float64(s.used+s.available), known)
}

func (w *writer) traffic(before, now sample) {
	seconds := float64(now.at-before.at) / 1e9
	known := before.disks != nil && now.disks != nil && seconds > 0
	if !known {
		before.disks, now.disks = &traffic{}, &traffic{}
	}
	w.number("disk_read_bytes_per_s", since(before.disks.read, now.disks.read)/seconds, known)
	w.number("disk_write_bytes_per_s", since(before.disks.written, now.disks.written)/seconds, known)
}
