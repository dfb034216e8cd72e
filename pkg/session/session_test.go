package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

const minute = time.Minute

// short shows what matters of rows: user, start and end in minutes, events.
func short(t *testing.T, rows []string) string {
	t.Helper()
	var b strings.Builder
	for _, r := range proof.Parsed(t, rows) {
		from, to := proof.At(r["session_start"].(string)), proof.At(r["session_end"].(string))
		if d := time.Duration(r["duration_ms"].(float64) * 1e6); d != time.Duration(to-from) {
			t.Errorf("a session from %v to %v lasts %v", from, to, d)
		}
		fmt.Fprintf(&b, "%v %v-%v %v;", r["user"], time.Duration(from-start).Minutes(), time.Duration(to-start).Minutes(), r["events"])
	}
	return b.String()
}

func TestExactCases(t *testing.T) {
	gap := session.Config{Gap: 30 * minute, GraceUnlimited: true}
	for _, c := range []struct {
		name   string
		cfg    session.Config
		events []event
		want   string
	}{
		{"a long pause ends a session, a shorter one does not", gap, []event{
			visit("u", 0), visit("u", minute), visit("u", 26*minute), visit("u", 27*minute), visit("u", 62*minute),
		}, "u 0-27 4;u 62-62 1;"},
		{"five events a minute apart last 240 s", gap, []event{
			visit("u", 0), visit("u", minute), visit("u", 2*minute), visit("u", 3*minute), visit("u", 4*minute),
		}, "u 0-4 5;"},
		{"a late event between two sessions makes one of them", gap, []event{
			visit("u", 0), visit("u", 60*minute), visit("u", 30*minute),
		}, "u 0-60 3;"},
		{"not if it is farther from one than the gap", gap, []event{
			visit("u", 0), visit("u", 61*minute), visit("u", 30*minute),
		}, "u 0-30 2;u 61-61 1;"},
		{"exactly a gap apart is one session", gap, []event{visit("u", 0), visit("u", 30*minute)}, "u 0-30 2;"},
		{"a nanosecond more is two", gap, []event{visit("u", 0), visit("u", 30*minute+1)}, "u 0-0 1;u 30.000000000016666-30 1;"},
		{"an event before a session begins it", gap, []event{visit("u", 20*minute), visit("u", 0)}, "u 0-20 2;"},
		{"users do not meet; rows in the order of ends, starts, keys", gap, []event{
			visit("b", 10*minute), visit("a", 10*minute), visit("b", 5*minute), visit("c", 0), visit("a", 60*minute),
		}, "c 0-0 1;b 5-10 2;a 10-10 1;a 60-60 1;"},
		{"bytes that are no text are all shown alike: one user", gap, []event{
			visit("\xff", 0), visit("\xfe", minute), visit("\xff", 2*minute),
		}, "\uFFFD 0-2 3;"},
		{"with grace two sessions become one, too", session.Config{Gap: 30 * minute, Grace: 31 * minute}, []event{
			visit("u", 0), visit("u", 60*minute), visit("u", 30*minute), visit("v", 24*60*minute),
		}, "u 0-60 3;v 1440-1440 1;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := short(t, newDriver(t, c.cfg).Run(c.events, 100))
			want := strings.ReplaceAll(c.want, "30.000000000016666-30", "30-30")
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestLateRecords(t *testing.T) {
	d := newDriver(t, session.Config{Gap: 10 * minute, Grace: minute})
	d.Feed([]event{visit("u", 0), visit("u", 20*minute), visit("late", 18*minute), visit("u", 19*minute), visit("late", 0)})
	s := d.Op.Stats()
	if s.Late != 2 || s.GraceNeeded != 20*minute || len(d.Out.Late) != 2 {
		t.Errorf("%+v, %d late records, want 2 that needed 20 minutes", s, len(d.Out.Late))
	}
	if got := short(t, d.Out.Rows); got != "u 0-0 1;" {
		t.Errorf("closed %s", got)
	}
	kept := newDriver(t, session.Config{Gap: 10 * minute, Grace: s.GraceNeeded})
	kept.Feed([]event{visit("u", 0), visit("u", 20*minute), visit("late", 18*minute), visit("u", 19*minute), visit("late", 0)})
	if s := kept.Op.Stats(); s.Late != 0 || s.GraceNeeded != 0 {
		t.Errorf("%+v: the grace that was named does not keep all", s)
	}
}

// Sessions close, and their memory is free, without another record of their
// user.
func TestIdleSessionsClose(t *testing.T) {
	d := newDriver(t, session.Config{Gap: 30 * minute, Grace: minute})
	d.Feed([]event{visit("u", 0), visit("v", minute)})
	if s := d.Op.Stats(); s.Open != 2 || s.Users != 2 {
		t.Errorf("open %+v", s)
	}
	d.Mark = start + int64(31*minute) + int64(time.Second)
	d.Tick()
	if s := d.Op.Stats(); s.Open != 1 || s.Users != 1 || s.Closed != 1 {
		t.Errorf("31 minutes later %+v, want one open", s)
	}
	d.Mark += int64(minute)
	d.Tick()
	if s := d.Op.Stats(); s.Open != 0 || s.Users != 0 || s.Closed != 2 {
		t.Errorf("32 minutes later %+v, want none open", s)
	}
}

// On live input sessions close when nothing comes at all. What comes then is not
// late.
func TestSilenceClosesSessions(t *testing.T) {
	for name, cuts := range map[string]session.Cuts{"merged": {}, "in order": {MaxEvents: 100}} {
		for lag, live := range map[time.Duration]bool{time.Second: true, 24 * time.Hour: false} {
			d := newDriver(t, session.Config{Gap: 30 * minute, Grace: minute, Cuts: cuts})
			d.Now = start + int64(2*minute+lag)
			d.Feed([]event{visit("u", 0), visit("v", 2*minute)})
			for range 31 {
				d.Now += int64(minute)
				d.Tick()
			}
			if n := len(d.Out.Rows); n != 0 {
				t.Errorf("%s: %d rows when a gap and the grace have passed", name, n)
			}
			d.Now += int64(time.Second)
			d.Tick()
			if n := len(d.Out.Rows); live != (n == 2) || !live && n > 0 {
				t.Errorf("%s, %v behind: %d rows a second later", name, lag, n)
			}
			if s := d.Op.Stats(); live && (s.Open != 0 || s.Users != 0 || s.Held != 0) {
				t.Errorf("%s: %+v", name, s)
			}
			d.Feed([]event{visit("u", 3*minute)})
			if s := d.Op.Stats(); s.Late != 0 || live && s.Open != 1 {
				t.Errorf("%s: behind the silence %+v", name, s)
			}
		}
	}
}

func TestRow(t *testing.T) {
	d := newDriver(t, session.Config{
		Key: []string{"user, site=host"}, Gap: minute, GraceUnlimited: true,
		Details: session.Details{Aggs: "sum(bytes), last(path)"},
	})
	e := visit("ann", 1500*time.Microsecond)
	e.Fields["host"], e.Fields["bytes"], e.Fields["path"] = "a\"b", 7, "/x"
	rows := d.Run([]event{e}, 1)
	want := `{"session_id":"XXXXXXXXXXXXXXXXXXXXXXXX","user":"ann","site":"a\"b","session_start":"2026-11-24T10:00:00.001Z",` +
		`"session_end":"2026-11-24T10:00:00.001Z","duration_ms":0,"events":1,"sum_bytes":7,"last_path":"/x"}`
	id := proof.Parsed(t, rows)[0]["session_id"].(string)
	if got := strings.Replace(rows[0], id, "XXXXXXXXXXXXXXXXXXXXXXXX", 1); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d.Out.Keys[0] != `["ann","a\"b"]` || d.Out.Recs[0].Time != e.At {
		t.Errorf("key %s, time %d", d.Out.Keys[0], d.Out.Recs[0].Time)
	}
	again := newDriver(t, session.Config{Key: []string{"user, host"}, Gap: minute, GraceUnlimited: true})
	if got := proof.Parsed(t, again.Run([]event{e}, 1))[0]["session_id"]; got != id {
		t.Errorf("the id was %s, is %s", id, got)
	}
}

func TestWrongUse(t *testing.T) {
	for want, cfg := range map[string]session.Config{
		`session gap 0: want at least 1ms`:                 {},
		`grace -1ns: want 0 or more`:                       {Gap: minute, Grace: -1},
		`two fields of a row are called "events"`:          {Gap: minute, Key: []string{"events"}},
		`two fields of a row are called "x"`:               {Gap: minute, Key: []string{"x"}, Details: session.Details{Aggs: "x=count()"}},
		`two fields of a row are called "op"`:              {Gap: minute, Key: []string{"op"}, Update: true},
		`session gap 18250d and grace 0: want less than 3`: {Gap: 438000 * time.Hour},
	} {
		_, err := session.New(cfg, record.NewPlan())
		if fault.Status(err) != fault.Usage || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
	if _, err := session.New(session.Config{Gap: minute, Key: []string{"op"}}, record.NewPlan()); err != nil {
		t.Errorf("rows without updates have no op of their own: %v", err)
	}
}

func TestBadTimes(t *testing.T) {
	d := newDriver(t, session.Config{Gap: minute, MaxAhead: time.Hour})
	b := proof.Batch(d.Plan, proof.File, []event{visit("u", 0), visit("u", 3*time.Hour), {At: record.NoTime}})
	b.Arrived = start
	d.Op.Prepare(b)
	if len(b.Faults) != 2 || d.Op.Stats().Ahead != 1 {
		t.Errorf("faults %v, stats %+v", b.Faults, d.Op.Stats())
	}
}
