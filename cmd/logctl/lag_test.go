package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var listening = regexp.MustCompile(`listening on (http://\S+)`)

// TestLag: a consumer that is held back shows under --listen how far it is
// behind, and that it has caught up when it has.
func TestLag(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 2)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := e.start(t, nil, w, "consume", "--from", "kafka:"+topic, "--group", topic, "--listen", "127.0.0.1:0")
	_ = w.Close() // the process has its own
	url := listensAt(t, p)
	eventually(t, "it is ready", func() bool { status, _ := get(t, url+"/readyz"); return status == http.StatusOK })
	const total, size = 4000, 10_000 // more than what fits between the broker and the pipe
	lines := strings.Repeat(strings.Repeat("x", size-1)+"\n", total)
	e.logctl(t, strings.NewReader(lines), "produce", "--to", "kafka:"+topic, "--partitioner", "round-robin")
	shows := func(line string) func() bool {
		re := regexp.MustCompile("(?m)^" + line + "$")
		return func() bool { _, body := get(t, url+"/metrics"); return re.MatchString(body) }
	}
	eventually(t, "it is behind", shows(`logctl_kafka_lag_records\{.*\} [1-9].*`))
	read := make(chan int64, 1)
	go func() { n, _ := io.Copy(io.Discard, r); read <- n }() // a read that fails shows as a lag
	for _, n := range []string{"0", "1"} {
		eventually(t, "it has caught up", shows(`logctl_kafka_lag_records\{partition="`+n+`",topic="`+topic+`"\} 0`))
	}
	eventually(t, "it counts", shows("logctl_records_in_total "+strconv.Itoa(total)))
	if !shows("logctl_kafka_rebalances_total 1")() {
		t.Error("no rebalance was counted")
	}
	if status, _ := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: status %d", status)
	}
	p.interrupt(t)
	if n := <-read; n != total*size {
		t.Errorf("%d bytes came through the pipe, want %d", n, total*size)
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	return send(t, http.MethodGet, url, "")
}

// send makes a request and returns its status and the answer.
func send(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
