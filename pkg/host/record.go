package host

import (
	"runtime"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

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
