package record

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// aliases are the sets of names that stand for one thing, each in the order in
// which they are tried. The names of journald, GELF, ECS, CloudTrail, Serilog,
// MongoDB, Log4j and Python's logging belong to them.
var aliases = [][]string{
	{
		"timestamp", "ts", "time", "@timestamp", "__REALTIME_TIMESTAMP", "eventTime", "@t", "t.$date",
		"Timestamp", "datetime", "asctime", "timeMillis",
	},
	{"id", "eventId", "event_id", "messageId"},
	{"level", "severity", "lvl", "PRIORITY", "log.level", "Level", "levelname", "@l"},
	{
		"service", "serviceName", "service_name", "service_id", "application", "app", "source",
		"SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "service.name",
	},
	{"host", "hostname", "_HOSTNAME", "host.name"},
	{"message", "msg", "log", "MESSAGE", "short_message"},
	{"latency_ms", "latencyMs", "responseTime", "responseTimeMs", "duration_ms"},
	{"status", "statusCode", "status_code", "httpStatus"},
	{"user", "userId", "user_id"},
	{"trace_id", "traceId", "trace.id"},
}

// TimeField is the field that holds the event time where the user names none;
// with its aliases.
const TimeField = "timestamp"

// LevelField is the field that compares by severity, with its aliases.
const LevelField = "level"

// Names returns the names under which a field is looked for, the best first:
// its own, then the others of its alias set. Names of no set stand alone.
func Names(name string) []string {
	for _, set := range aliases {
		if !slices.Contains(set, name) {
			continue
		}
		names := []string{name}
		for _, other := range set {
			if other != name {
				names = append(names, other)
			}
		}
		return names
	}
	return []string{name}
}

// IsAlias reports whether a and b are one name or names of one alias set.
func IsAlias(a, b string) bool { return a == b || slices.Contains(Names(a), b) }

// A Field is something a command wants of each record: a dotted path, with
// array indexes in brackets (attributes.region, tags[0], tags[-1]).
type Field struct {
	Path  string   // as the user wrote it
	Names []string // the paths to try, the best first (see Names)
	Clock bool     // only the event time is read from it
}

// A Plan is the set of fields that a command reads. A field's index in it is
// the index of its column in every batch. Build it before the first batch is
// parsed; from then on it is read only and may be shared.
type Plan struct {
	Fields []Field
	Time   int            // column of the event time, -1 where it is not read
	Zone   *time.Location // in which times are shown and days begin; nil is UTC
	Whole  bool           // records themselves are read too: their bytes, key and headers
	Placed bool           // and where they stand: topic, partition, offset
	Use    any            // what it was made for, where plans change while running: batches lead to it
}

// NewPlan returns a plan that reads no field.
func NewPlan() *Plan { return &Plan{Time: -1} }

// Clone returns a plan of the same fields, which may get others.
func (p *Plan) Clone() *Plan {
	c := *p
	c.Fields, c.Use = slices.Clone(p.Fields), nil
	return &c
}

// Column returns the column of the field with the given path, adding it to the
// plan where it is new.
func (p *Plan) Column(path string) int {
	k := p.find(path)
	p.Fields[k].Clock = false
	return k
}

// find returns the column of a field, which it adds where it is new.
func (p *Plan) find(path string) int {
	for i, f := range p.Fields {
		if f.Path == path {
			return i
		}
	}
	p.Fields = append(p.Fields, Field{Path: path, Names: Names(path), Clock: true})
	return len(p.Fields) - 1
}

// ReadTime has the event time read: from the named field, or with an empty
// name from the first of the usual ones that a record has.
func (p *Plan) ReadTime(name string) {
	p.Time = p.find(cmp.Or(name, TimeField))
}

// A Step is one step of a path into a nested value: into an object by name,
// or into an array by index (from its end where negative).
type Step struct {
	Name  string
	Index int
	Array bool
}

// Steps splits a path such as a.b[0].c. A bracket that holds no whole number
// is part of the name.
func Steps(path string) []Step {
	var steps []Step
	for part := range strings.SplitSeq(path, ".") {
		name, brackets := cutIndexes(part)
		if name != "" || len(brackets) == 0 {
			steps = append(steps, Step{Name: name})
		}
		for _, i := range brackets {
			steps = append(steps, Step{Index: i, Array: true})
		}
	}
	return steps
}

// cutIndexes splits "a[0][-1]" into "a" and 0, -1.
func cutIndexes(part string) (name string, indexes []int) {
	name = part
	for strings.HasSuffix(name, "]") {
		open := strings.LastIndexByte(name, '[')
		if open < 0 {
			break
		}
		n, ok := parseIndex(name[open+1 : len(name)-1])
		if !ok {
			break
		}
		indexes = append(indexes, n)
		name = name[:open]
	}
	slices.Reverse(indexes)
	return name, indexes
}

func parseIndex(s string) (int, bool) {
	f, ok := ParseNumber([]byte(s))
	n := int(f)
	return n, ok && len(s) < 10 && float64(n) == f && !strings.ContainsAny(s, ".eE+")
}
