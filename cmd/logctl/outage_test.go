package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// outage is for how long the broker of TestOutage is down; TEST_OUTAGE=60 is
// what is promised.
func outage(t *testing.T) time.Duration {
	return time.Duration(number(t, "TEST_OUTAGE", 4)) * time.Second
}

// TestOutage: the broker is stopped under load. The breaker opens, critical
// records go into the spool and are sent in order when it is back, the rest is
// dropped and counted, or spooled too; memory stays bounded; nothing that was
// not counted as dropped is missing or there twice.
func TestOutage(t *testing.T) {
	for name, args := range map[string][]string{
		"drop":  {"--critical", `level == "ERROR"`, "--on-open", "drop"},
		"spool": {},
		"block": {"--on-open", "block"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := embed(t)
			topic := e.topic(t, 1)
			r, w := io.Pipe()
			p := e.start(t, r, nil, append([]string{
				"produce", "--to", "kafka:" + topic, "--breaker", "5", "--breaker-open", "1s", "--report",
				"--spool", filepath.Join(t.TempDir(), "spool"), "--listen", "127.0.0.1:0",
			}, args...)...)
			url := listensAt(t, p)
			shows := func(metric string) {
				t.Helper()
				re := regexp.MustCompile("(?m)^" + metric + "$")
				eventually(t, metric, func() bool { _, body := get(t, url+"/metrics"); return re.MatchString(body) })
			}
			l := startLoad(w)
			eventually(t, "records are sent", func() bool {
				return e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end") != ""
			})
			e.broker.interrupt(t)
			shows("logctl_breaker_opened_total [1-9].*")
			time.Sleep(outage(t))
			if name != "block" {
				shows("logctl_spooled_records_total [1-9].*")
			}
			if name == "drop" {
				shows("logctl_breaker_dropped_records_total [1-9].*")
			}
			most := highWater(t, p.Process.Pid)
			e.restart(t)
			shows("logctl_breaker_state 0")
			shows("logctl_spool_records 0")
			n := l.end()
			p.end(t)
			said := p.errs.String()
			t.Logf("%d records, at most %d MiB; %s", n, most>>20, said)
			critical, rest := l.check(t, e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end"))
			if most > 220<<20 {
				t.Errorf("it took %d MiB", most>>20)
			}
			if counted(said, "breaker opened") == 0 {
				t.Error("the breaker has not opened")
			}
			spooled, dropped := counted(said, "spooled"), counted(said, "dropped")
			if spooled != counted(said, "replayed") || (spooled == 0) != (name == "block") || (dropped == 0) != (name != "drop") {
				t.Errorf("spooled %d, dropped %d", spooled, dropped)
			}
			if critical != n/10 || rest+dropped != n-n/10 {
				t.Errorf("of %d records there are %d critical ones and %d others; dropped %d", n, critical, rest, dropped)
			}
		})
	}
}

// listensAt returns where a process says that it listens.
func listensAt(t *testing.T, p *process) (url string) {
	t.Helper()
	eventually(t, "it says where it listens", func() bool {
		if m := listening.FindStringSubmatch(p.errs.String()); m != nil {
			url = strings.TrimSuffix(m[1], "/")
		}
		return url != ""
	})
	return url
}

// counted returns a number of the summary; 0 where it does not say it.
func counted(said, what string) int {
	m := regexp.MustCompile(what + ` ([0-9,]+)`).FindStringSubmatch(said)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	return n
}

// highWater returns the most memory that a process has had.
func highWater(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc")
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n << 10
}

// A levelled load writes numbered records, every tenth of them an error, as fast as they are
// taken up to 20,000 a second.
type levelled struct {
	quit, done chan struct{}
	sent       atomic.Int64
}

func startLoad(w io.WriteCloser) *levelled {
	l := &levelled{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer w.Close()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n += 200 {
			l.sent.Store(int64(n))
			select {
			case <-tick.C:
			case <-l.quit:
				return
			}
			var b []byte
			for i := n; i < n+200; i++ {
				level := "INFO"
				if i%10 == 0 {
					level = "ERROR"
				}
				b = fmt.Appendf(b, "{\"n\":%d,\"level\":\"%s\",\"message\":\"%0100d\"}\n", i, level, i)
			}
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}()
	return l
}

// end returns how many records there were.
func (l *levelled) end() int {
	close(l.quit)
	<-l.done
	return int(l.sent.Load())
}

var levelledLine = regexp.MustCompile(`^\{"n":(\d+),"level":"(\w+)"`)

// check returns how many critical and other records were read, each of them in
// order and once.
func (l *levelled) check(t *testing.T, text string) (critical, rest int) {
	t.Helper()
	last := map[string]int{"ERROR": -1, "INFO": -1}
	for line := range strings.Lines(text) {
		m := levelledLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("read %q", line)
		}
		n, _ := strconv.Atoi(m[1])
		if n <= last[m[2]] {
			t.Fatalf("%s record %d comes behind %d", m[2], n, last[m[2]])
		}
		if last[m[2]] = n; m[2] == "ERROR" {
			critical++
		} else {
			rest++
		}
	}
	return critical, rest
}
