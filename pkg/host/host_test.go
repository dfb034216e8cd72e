package host

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

// machine makes a root with the files of a small machine.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var small = map[string]string{
	"proc/stat":    "cpu  100 10 50 800 20 5 5 10 0 0\ncpu0 1 2 3 4\n",
	"proc/loadavg": "0.50 1.25 2 1/100 4242\n",
	"proc/meminfo": "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     250 kB\nSwapTotal: 8 kB\nSwapFree: 6 kB\nHugePages_Total: 0\n",
	"proc/diskstats": "   8 0 sda 10 0 100 0 20 0 200 0 0 0 0\n   8 1 sda1 10 0 100 0 20 0 200 0 0 0 0\n" +
		" 253 0 dm-0 10 0 100 0 20 0 200 0 0 0 0\n   7 0 loop0 9 9 900 9 9 9 900\n",
	"sys/block/sda/size":             "1",
	"sys/block/loop0/size":           "1",
	"sys/block/dm-0/slaves/sda/size": "1",
}

func TestRecordTellsWhatHappenedBetweenTwoLooks(t *testing.T) {
	before := look(machine(t, small))
	later := maps.Clone(small)
	later["proc/stat"] = "cpu  140 20 60 820 30 5 5 20 0 0\n" // 40+10 user, 10 system, 20 idle, 10 iowait, 10 steal
	later["proc/diskstats"] = strings.Replace(small["proc/diskstats"], "sda 10 0 100 0 20 0 200", "sda 11 0 104 0 21 0 220", 1)
	now := look(machine(t, later))
	now.at, now.space = before.at+2e9, &space{total: 1000, available: 300, used: 600}
	var got map[string]any
	line := appendRecord(nil, "h", before, now)
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	delete(got, "timestamp")
	delete(got, "cpus")
	want := map[string]any{
		"host": "h", "cpu_percent": 70.0, "cpu_user_percent": 50.0, "cpu_system_percent": 10.0, "cpu_iowait_percent": 10.0,
		"load1": 0.5, "load5": 1.25, "load15": 2.0,
		"memory_total_bytes": 1024000.0, "memory_available_bytes": 256000.0, "memory_used_percent": 75.0,
		"swap_total_bytes": 8192.0, "swap_used_bytes": 2048.0,
		"disk_total_bytes": 1000.0, "disk_available_bytes": 300.0, "disk_used_percent": 66.67,
		"disk_read_bytes_per_s": 1024.0, "disk_write_bytes_per_s": 5120.0,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if text := now.unknown(); text != "" {
		t.Errorf("%s is said to be unknown", text)
	}
}

// TestUnknownIsNull looks at a machine that tells nothing, and at one whose files
// are not as expected.
func TestUnknownIsNull(t *testing.T) {
	odd := map[string]string{
		"proc/stat": "intr 5\n", "proc/loadavg": "x y z\n", "proc/meminfo": "MemTotal: many kB\n", "proc/diskstats": "8 0 sda\n",
	}
	for _, files := range []map[string]string{{}, odd} {
		now := look(machine(t, files))
		now.space = nil
		if want := "cpu, load, memory, disk space, disk traffic"; now.unknown() != want {
			t.Errorf("unknown: %s, want %s", now.unknown(), want)
		}
		var got map[string]any
		if err := json.Unmarshal(appendRecord(nil, "", now, now), &got); err != nil {
			t.Fatal(err)
		}
		for _, name := range Fields[1:] {
			if value, there := got[name]; !there || value != nil && name != "cpus" {
				t.Errorf("%s is %v, want null", name, value)
			}
		}
		if len(got) != len(Fields) {
			t.Errorf("%d fields, want %d", len(got), len(Fields))
		}
	}
}

func TestCountersThatGoBack(t *testing.T) {
	now := look(machine(t, small))
	before := now
	before.cpu = &times{all: now.cpu.all - 10, iowait: now.cpu.iowait + 3}
	before.disks = &traffic{read: now.disks.read + 1}
	if line := string(appendRecord(nil, "", before, now)); strings.Contains(line, "-") && strings.Contains(line, ":-") {
		t.Errorf("a figure is negative: %s", line)
	}
}

func TestSourceKeepsTime(t *testing.T) {
	fast, err := limit.ParseSchedule("100/s")
	if err != nil {
		t.Fatal(err)
	}
	const stall = time.Second // of the machine, behind a record
	for _, c := range []struct {
		cfg   Config
		stall int // behind so many records; 0 for never
		want  int
		took  time.Duration
	}{
		{Config{Schedule: fast, Limit: 3}, 0, 3, 30 * time.Millisecond},
		{Config{Schedule: fast, Limit: 1000, Duration: 55 * time.Millisecond}, 0, 5, 50 * time.Millisecond},
		{Config{Schedule: fast, Limit: 1000, Duration: 55 * time.Millisecond}, 2, 2, 20*time.Millisecond + stall},
		{Config{Duration: 10 * time.Millisecond}, 0, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var notes []string
			c.cfg.Root, c.cfg.Note = machine(t, small), func(s string) { notes = append(notes, s) }
			s := Open(c.cfg)
			n, start := 0, time.Now()
			for {
				b := record.NewBatch()
				err := s.Read(t.Context(), b)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(b.Recs) != 1 || b.Recs[0].Offset != int64(n) || b.Next != int64(n+1) || b.Recs[0].Time < start.UnixNano() {
					t.Fatalf("record %d: %+v", n, b.Recs)
				}
				if n++; n == c.stall {
					time.Sleep(stall)
				}
			}
			if took := time.Since(start).Round(time.Millisecond); n != c.want || took != c.took {
				t.Errorf("%+v: %d records in %v, want %d in %v", c.cfg, n, took, c.want, c.took)
			}
			if len(notes) > 0 {
				t.Errorf("notes: %q", notes)
			}
		})
	}
}

// TestThisMachine has figures that can be true, where there is a /proc.
func TestThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/stat"); err != nil {
		t.Skip("no /proc")
	}
	s := Open(Config{Limit: 1, Schedule: func() limit.Schedule { s, _ := limit.ParseSchedule("5/s"); return s }()})
	b := record.NewBatch()
	if err := s.Read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Value(0), &got); err != nil {
		t.Fatal(err)
	}
	for name, value := range got {
		f, isNumber := value.(float64)
		if strings.HasSuffix(name, "_percent") && (!isNumber || f < 0 || f > 100) {
			t.Errorf("%s is %v", name, value)
		}
	}
	if keys := slices.Sorted(maps.Keys(got)); len(keys) != len(Fields) {
		t.Errorf("fields %q", keys)
	}
}
