// Post posts the lines of a file to a gateway on this machine, so many to a
// request, from some clients at once, each waiting for its answer: post URL FILE
// BATCH CLIENTS REQUESTS. It prints what was accepted, how fast, and how long the
// answers took. Addresses beyond loopback are refused.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// most bounds a run.
const most = 2 * time.Minute

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("usage: post URL FILE BATCH CLIENTS REQUESTS")
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	if ip := net.ParseIP(target.Hostname()); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%q is not on this machine", args[0])
	}
	var n [3]int
	for i, text := range args[2:] {
		if n[i], err = strconv.Atoi(text); err != nil || n[i] < 1 {
			return fmt.Errorf("%q: want a number", text)
		}
	}
	bodies, err := batches(args[1], n[0])
	if err != nil {
		return err
	}
	l := &load{url: args[0], bodies: bodies, requests: int64(n[2]), end: time.Now().Add(most)}
	return l.report(l.run(n[1]), n[0])
}

// batches returns the lines of a file in bodies of so many.
func batches(path string, size int) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for len(text) > 0 {
		end := 0
		for range size {
			i := bytes.IndexByte(text[end:], '\n')
			if i < 0 {
				return bodies, nil // what is left is no whole body
			}
			end += i + 1
		}
		bodies, text = append(bodies, text[:end]), text[end:]
	}
	return bodies, nil
}

// A load is a run under way.
type load struct {
	url      string
	bodies   [][]byte
	requests int64
	end      time.Time

	next    atomic.Int64
	mu      sync.Mutex
	took    []time.Duration
	refused map[int]int
	broken  error
}

// run posts from some clients and returns how long that took.
func (l *load) run(clients int) time.Duration {
	l.refused = map[int]int{}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = clients
	var group sync.WaitGroup
	began := time.Now()
	for range clients {
		group.Go(func() {
			if err := l.client(); err != nil {
				l.mu.Lock()
				l.broken = err
				l.mu.Unlock()
			}
		})
	}
	group.Wait()
	return time.Since(began)
}

// client posts one body after the other.
func (l *load) client() error {
	var took []time.Duration
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.took = append(l.took, took...)
	}()
	for {
		i := l.next.Add(1) - 1
		if i >= l.requests || time.Now().After(l.end) {
			return nil
		}
		began := time.Now()
		resp, err := http.Post(l.url, "application/json", bytes.NewReader(l.bodies[i%int64(len(l.bodies))]))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := resp.Body.Close(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		if took = append(took, time.Since(began)); resp.StatusCode != http.StatusAccepted {
			l.mu.Lock()
			l.refused[resp.StatusCode]++
			l.mu.Unlock()
		}
	}
}

func (l *load) report(took time.Duration, size int) error {
	slices.Sort(l.took)
	n := len(l.took)
	for _, k := range l.refused {
		n -= k
	}
	if l.broken != nil || n == 0 {
		return fmt.Errorf("%d requests were accepted; %v, %w", n, l.refused, l.broken)
	}
	at := func(q float64) time.Duration {
		return l.took[int(q*float64(len(l.took)-1))].Round(10 * time.Microsecond)
	}
	fmt.Printf("%d records in %v: %.0f records/s, answers p50 %v p95 %v p99 %v max %v, refused %v\n",
		n*size, took.Round(time.Millisecond), float64(n*size)/took.Seconds(), at(.5), at(.95), at(.99), at(1), l.refused)
	return nil
}
