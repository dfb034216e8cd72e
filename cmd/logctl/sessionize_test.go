package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSessionQueries asks a running sessionize over HTTP and with its query command.
func TestSessionQueries(t *testing.T) {
	t.Parallel()
	in, feed := io.Pipe()
	c := &client{home: t.TempDir(), addrs: []string{"none"}}
	out, err := os.Create(filepath.Join(c.home, "rows.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := c.start(t, in, out, "sessionize", "--gap", "10m", "--type", "type", "--convert", `type == "buy"`,
		"--funnel", "view, cart, buy", "--on-abandon", "cart and not buy", "--listen", "127.0.0.1:0")
	url := listensAt(t, p)
	say := func(minute int, user, kind string) {
		fmt.Fprintf(feed, `{"ts":"2026-01-01T10:%02d:00Z","user":%q,"type":%q}`+"\n", minute, user, kind)
	}
	say(0, "ann", "view")
	say(1, "ann", "cart")
	say(2, "ann", "buy")
	say(2, "a/b", "cart")
	say(30, "bea", "view")
	ask := func(args ...string) (answer map[string]any) {
		text := c.logctl(t, nil, append([]string{"sessionize", "query", "--at", url}, args...)...)
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return answer
	}
	eventually(t, "two sessions are closed", func() bool { return ask("stats")["sessions"] == 2.0 })
	for what, want := range map[string]string{
		"active bea": `bea 1`, "active ann": ``, "history ann": `ann 3`, "history a/b": `a/b 1`, "history nobody": ``,
		"converted": `ann 3`, "recent": `a/b 1,ann 3`, "recent --limit 1": `a/b 1`, "recent --limit 1 --page 1": `ann 3`,
		"recent --hours 1": `a/b 1,ann 3`,
	} {
		a := ask(strings.Fields(what)...)
		list, _ := a["sessions"].([]any)
		if a["session"] != nil {
			list = append(list, a["session"])
		}
		var got []string
		for _, s := range list {
			got = append(got, fmt.Sprint(s.(map[string]any)["user"], " ", s.(map[string]any)["events"]))
		}
		if strings.Join(got, ",") != want || a["watermark"] != "2026-01-01T10:30:00.000Z" || a["behind_ms"] == nil {
			t.Errorf("%s: %v, want %s", what, a, want)
		}
		if status := a["status"]; strings.HasPrefix(what, "active") && (status == "active") != (want != "") {
			t.Errorf("%s: status %v", what, status)
		}
	}
	stats := fmt.Sprint(ask("stats", "--hours", "1"))
	for _, want := range []string{
		"sessions:2", "open:1", "events:4", "avg_events:2", "avg_duration_ms:60000", "converted:1", "conversion_rate:0.5",
		"abandoned:1", "funnel:[map[drop_off:0.5 reached:1 step:view] map[drop_off:0 reached:1 step:cart]",
	} {
		if !strings.Contains(stats, want) {
			t.Errorf("stats %s, want %s", stats, want)
		}
	}
	for _, wrong := range [][]string{{"active"}, {"stats", "ann"}, {"recents"}, {"recent", "--limit", "-1"}} {
		if r := c.run(t, nil, nil, append([]string{"sessionize", "query", "--at", url}, wrong...)...); r.status == 0 {
			t.Errorf("%q is answered with %s", wrong, r.out)
		}
	}
	if _, body := get(t, url+"/metrics"); !strings.Contains(body, "logctl_sessionize_open 1\n") {
		t.Error("the open session is not counted")
	}
	_ = feed.Close()
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if r := c.run(t, nil, nil, "sessionize", "query", "stats", "--at", url); r.status != 1 || !strings.Contains(r.errs, "with --listen?") {
		t.Errorf("when it has ended: status %d, %s", r.status, r.errs)
	}
}
