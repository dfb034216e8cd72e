package stream

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// Scheme is the kind of an endpoint.
type Scheme string

// The kinds of endpoints.
const (
	Stdio    Scheme = "-"
	File     Scheme = "file"
	Kafka    Scheme = "kafka"
	HTTP     Scheme = "http"
	SQLite   Scheme = "sqlite"
	Postgres Scheme = "postgres"
	Null     Scheme = "null"
)

// schemes are the ones that are written before a colon.
var schemes = []string{string(Kafka), string(HTTP), string(SQLite), string(Postgres), string(Null)}

// An Endpoint is where records come from or go to, as --from and --to name it.
type Endpoint struct {
	Scheme  Scheme
	Path    string   // File: path or glob; SQLite: the file
	Table   string   // SQLite, Postgres: the table, "" for the default
	Topics  []string // Kafka: topics; one pattern where Pattern is set
	Pattern bool     // Kafka: Topics[0] is a regular expression
	Except  []string // Kafka: topics that the pattern leaves out
	Brokers []string // Kafka: its own addresses, else the configured ones
	Addr    string   // HTTP: host:port to listen on
	URL     string   // Postgres: the connection
}

// Secret reports whether the endpoint has a password in its URL, which must not be
// shown.
func (e Endpoint) Secret() bool { return HidePassword(e.URL) != e.URL }

// ParseEndpoint reads an endpoint: "-", a path, kafka:topic[,topic], kafka:^pattern,
// kafka://host:port,host:port/topic, http:host:port, sqlite:file[#table],
// postgres://…[#table] or null:. A path that looks like one of the others, or like one
// of an unknown kind, must be written with ./ before it.
func ParseEndpoint(s string) (Endpoint, error) {
	if s == "-" {
		return Endpoint{Scheme: Stdio}, nil
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "/.\\*?[") {
		return parsePath(s)
	}
	switch Scheme(scheme) {
	case Kafka:
		return parseKafka(s, rest)
	case HTTP:
		return parseHTTP(s, rest)
	case SQLite:
		path, table, _ := strings.Cut(rest, "#")
		if path == "" {
			return Endpoint{}, fault.Usagef("as in sqlite:logs.db#events", "endpoint %q names no file", s)
		}
		return Endpoint{Scheme: SQLite, Path: path, Table: table}, nil
	case Postgres:
		link, table, _ := strings.Cut(s, "#")
		return Endpoint{Scheme: Postgres, URL: link, Table: table}, nil // the URL may hold a password: it is not printed
	case Null:
		return Endpoint{Scheme: Null}, nil
	}
	if !isKind(scheme) {
		return parsePath(s)
	}
	s, rest = HidePassword(s), HidePassword(rest)
	hint := "one of " + strings.Join(schemes, ":, ") + ":."
	if near := fault.Nearest(scheme, schemes); near != "" {
		hint = fmt.Sprintf("did you mean %s:%s?", near, rest)
	}
	return Endpoint{}, fault.Usagef(hint+" A file of that name is written ./"+s,
		"endpoint %q begins with an unknown kind %q", s, scheme+":")
}

// passwords are those of URLs, in front of the host and among the parameters. One may
// hold what it should not, as spaces: all is taken up to the last @ within quotes.
var passwords = regexp.MustCompile(`(//[^/@:\s"]*:)[^"\n]*(@)|([?&](?:ssl)?password=)[^&#\s"]*()`)

// HidePassword returns a URL, or text that names some, without the passwords.
func HidePassword(s string) string { return passwords.ReplaceAllString(s, "$1$3***$2$4") }

// isKind reports whether text before a colon looks like the kind of an endpoint,
// and not like the beginning of a file's name: a lower-case word of two letters
// or more.
func isKind(s string) bool {
	return len(s) > 1 && !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

func parsePath(s string) (Endpoint, error) {
	if s == "" {
		return Endpoint{}, fault.Usagef("a file, - for stdin, or kafka:TOPIC", "empty endpoint")
	}
	return Endpoint{Scheme: File, Path: s}, nil
}

func parseKafka(s, rest string) (Endpoint, error) {
	e := Endpoint{Scheme: Kafka}
	if hosts, ok := strings.CutPrefix(rest, "//"); ok {
		hosts, topics, _ := strings.Cut(hosts, "/")
		e.Brokers = strings.Split(hosts, ",")
		if slices.Contains(e.Brokers, "") {
			return e, fault.Usagef("as in kafka://host:9092/topic", "endpoint %q has an empty address", s)
		}
		rest = topics
	}
	if strings.HasPrefix(rest, "^") {
		e.Pattern, e.Topics = true, []string{rest}
		return e, nil
	}
	e.Topics = strings.Split(rest, ",")
	for _, t := range e.Topics {
		if !ValidTopic(t) {
			return e, fault.Usagef("letters, digits, '.', '_' and '-'; a pattern begins with ^",
				"endpoint %q: %q is no topic name", HidePassword(s), t)
		}
	}
	return e, nil
}

func parseHTTP(s, rest string) (Endpoint, error) {
	addr, err := ListenAddr(strings.TrimSuffix(strings.TrimPrefix(rest, "//"), "/"))
	if err != nil {
		return Endpoint{}, fault.Usagef("as in http:127.0.0.1:8080 or http::8080",
			"endpoint %q is no address: want http:HOST:PORT or http::PORT", HidePassword(s))
	}
	return Endpoint{Scheme: HTTP, Addr: addr}, nil
}

// ListenAddr completes an address to listen on; without a host it is loopback.
func ListenAddr(s string) (string, error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || colon == len(s)-1 || strings.Trim(s[colon+1:], "0123456789") != "" {
		return "", fmt.Errorf("%q is no address: want host:port or :port", s)
	}
	if colon == 0 {
		return "127.0.0.1" + s, nil
	}
	return s, nil
}

// Loopback reports whether host, a name or an address, is one that only this machine reaches.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// longestTopic is the greatest length of a topic's name.
const longestTopic = 249

// ValidTopic reports whether name is a valid name of a topic, by the rules of Apache
// Kafka (org.apache.kafka.common.internals.Topic): at most 249 ASCII letters, digits,
// ".", "_" and "-", and neither "." nor "..".
func ValidTopic(name string) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}
	return name != "" && name != "." && name != ".." && len(name) <= longestTopic && !strings.ContainsFunc(name, odd)
}
