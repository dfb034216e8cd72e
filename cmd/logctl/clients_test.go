package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/proof"
)

// TestTenThousandClients: so many connections at once, each with a request that
// comes in two parts, are all answered, within a memory that is bounded.
func TestTenThousandClients(t *testing.T) {
	clients := number(t, "TEST_CLIENTS", proof.Some(10_000))
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < uint64(clients)+500 {
		t.Skipf("%d clients need as many open files; %d are allowed", clients, files.Cur)
	}
	e := &client{home: t.TempDir(), addrs: []string{"127.0.0.1:1"}}
	out := filepath.Join(t.TempDir(), "out.ndjson")
	p := e.start(t, nil, nil, "produce", "--from", "http::0", "--to", out)
	address := regexp.MustCompile(`http://\S+`)
	eventually(t, "it listens", func() bool { return address.MatchString(p.errs.String()) })
	addr := strings.TrimPrefix(address.FindString(p.errs.String()), "http://")

	conns, begun := make([]net.Conn, clients), make([]time.Time, clients)
	body := strings.Repeat(`{"message":"`+strings.Repeat("m", 150)+`"}`+"\n", 10)
	head := fmt.Sprintf("POST /api/v1/logs/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(body))
	began := time.Now()
	each(clients, func(i int) {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			conns[i], begun[i] = c, time.Now()
			_, err = c.Write([]byte(head + body[:len(body)/2]))
		}
		if err != nil {
			t.Errorf("client %d: %v", i, err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	var mu sync.Mutex
	codes := map[string]int{}
	each(clients, func(i int) {
		line := says(conns[i], body[len(body)/2:])
		if time.Since(begun[i]) > httpapi.DefaultPatience/2 && line != accepted { // this machine is late, and may ask again
			if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr); err == nil {
				line = says(c, head+body)
				_ = c.Close()
			}
		}
		mu.Lock()
		defer mu.Unlock()
		codes[line]++
	})
	most := highWater(t, p.Process.Pid)
	for _, c := range conns {
		_ = c.Close()
	}
	p.interrupt(t)
	t.Logf("%v in %v, at most %d MiB; %s", codes, time.Since(began).Round(time.Millisecond), most>>20, p.errs.String())
	if codes[accepted] != clients {
		t.Errorf("answers %v", codes)
	}
	if most > 400<<20 {
		t.Errorf("it took %d MiB", most>>20)
	}
	if n := counted(p.errs.String(), "out"); n != 10*clients {
		t.Errorf("%d records were written, want %d", n, 10*clients)
	}
}

const accepted = "HTTP/1.1 202 Accepted"

// says sends what is left of a request, and returns the first line of the answer.
func says(c net.Conn, rest string) string {
	_, err := io.WriteString(c, rest)
	line := ""
	if err == nil {
		line, err = bufio.NewReaderSize(c, 512).ReadString('\n')
	}
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// each calls f for the numbers below n, from some goroutines.
func each(n int, f func(i int)) {
	var group sync.WaitGroup
	const workers = 64
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	group.Wait()
}
