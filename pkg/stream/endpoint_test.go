package stream_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

func TestParseEndpoint(t *testing.T) {
	for s, want := range map[string]stream.Endpoint{
		"-":                    {Scheme: stream.Stdio},
		"app.log":              {Scheme: stream.File, Path: "app.log"},
		"./kafka:x":            {Scheme: stream.File, Path: "./kafka:x"},
		"logs/*.gz":            {Scheme: stream.File, Path: "logs/*.gz"},
		"10:30.log":            {Scheme: stream.File, Path: "10:30.log"},
		"C:logs":               {Scheme: stream.File, Path: "C:logs"},
		"x:y":                  {Scheme: stream.File, Path: "x:y"},
		"app-1:2.log":          {Scheme: stream.File, Path: "app-1:2.log"},
		"./redis:logs":         {Scheme: stream.File, Path: "./redis:logs"},
		"kafka:app-logs":       {Scheme: stream.Kafka, Topics: []string{"app-logs"}},
		"kafka:a,b":            {Scheme: stream.Kafka, Topics: []string{"a", "b"}},
		"kafka:^app-.*":        {Scheme: stream.Kafka, Topics: []string{"^app-.*"}, Pattern: true},
		"kafka://h:1,i:2/t":    {Scheme: stream.Kafka, Topics: []string{"t"}, Brokers: []string{"h:1", "i:2"}},
		"http::8080":           {Scheme: stream.HTTP, Addr: "127.0.0.1:8080"},
		"http:0.0.0.0:8080":    {Scheme: stream.HTTP, Addr: "0.0.0.0:8080"},
		"http://host:80":       {Scheme: stream.HTTP, Addr: "host:80"},
		"sqlite:a.db":          {Scheme: stream.SQLite, Path: "a.db"},
		"sqlite:a.db#t":        {Scheme: stream.SQLite, Path: "a.db", Table: "t"},
		"postgres://h/db#rows": {Scheme: stream.Postgres, URL: "postgres://h/db", Table: "rows"},
		"null:":                {Scheme: stream.Null},
	} {
		got, err := stream.ParseEndpoint(s)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v %s", s, err, d)
		}
	}
	for s, hint := range map[string]string{
		"kafak:logs": "did you mean kafka:logs? A file of that name is written ./kafak:logs",
		"redis:logs": "one of kafka:, http:, sqlite:, postgres:, null:. A file of that name is written ./redis:logs", "elasticsearch:x": "one of", "sqllite:a.db": "did you mean sqlite:a.db?", "kafka:": "letters", "kafka:a b": "letters",
		"kafka://h:1,/t": "kafka://host", "kafka:..": "letters", "http:x": "http:127", "sqlite:": "sqlite:logs.db", "": "a file",
	} {
		_, err := stream.ParseEndpoint(s)
		if fault.Status(err) != fault.Usage || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q: %v, hint %q, want %q", s, err, fault.HintOf(err), hint)
		}
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	for s, shown := range map[string]string{
		"postgress://me:secret@host/db#t":                 "postgress://me:***@host/db#t",
		"postgress://me:sec ret@host/db":                  "postgress://me:***@host/db",
		"postgress://me:sec/r:e@t@host/db":                "postgress://me:***@host/db",
		"postgress://host/db?password=secret&sslmode=x#t": "postgress://host/db?password=***&sslmode=x#t",
		"http://me:secret@host":                           "http://me:***@host",
		"kafka://me:secret@host:1":                        "kafka://me:***@host:1",
	} {
		_, err := stream.ParseEndpoint(s)
		text := err.Error() + fault.HintOf(err)
		if strings.Contains(text, "ret") || !strings.Contains(text, shown) {
			t.Errorf("%s: %s", s, text)
		}
	}
	const plain = `endpoint "postgres://host:5432/db" of ann@example.com`
	if got := stream.HidePassword(plain); got != plain {
		t.Errorf("%s: %s", plain, got)
	}
}

func TestLoopback(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1", "127.8.9.1", "::1"} {
		if !stream.Loopback(host) {
			t.Errorf("Loopback(%q) = false", host)
		}
	}
	for _, host := range []string{"", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"} {
		if stream.Loopback(host) {
			t.Errorf("Loopback(%q) = true", host)
		}
	}
}
