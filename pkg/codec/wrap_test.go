package codec

import (
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func dockerOver(inner string) func(*record.Plan) lineParser {
	return func(plan *record.Plan) lineParser { return newDocker(plan, innerOf(plan, inner)) }
}

func criOver(inner string) func(*record.Plan) lineParser {
	return func(plan *record.Plan) lineParser { return newCRI(plan, innerOf(plan, inner)) }
}

func innerOf(plan *record.Plan, name string) lineParser {
	switch name {
	case "plain":
		return newPlain(plan)
	case "logfmt":
		return newLogfmt(plan)
	default:
		return newNDJSON(plan, false)
	}
}

var dockerCases = map[string][]textCase{
	"plain": {
		{
			line: `{"log":"hello \"you\"\r\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"}`,
			want: []string{
				"message", `"hello \"you\""`, "stream", `"stdout"`, "timestamp", `"2016-10-06T00:17:09.669794202Z"`,
				"time", `"2016-10-06T00:17:09.669794202Z"`,
			},
		},
		{
			line: `{"time":"2016-10-06T00:17:09Z","log":"2016-10-06 00:17:08 WARN x\n"}`,
			want: []string{
				"message", `"2016-10-06 00:17:08 WARN x"`, "timestamp", `"2016-10-06 00:17:08"`, "time", `"2016-10-06 00:17:08"`,
				"level", `"WARN"`,
			},
		},
		{line: `{"log":"piece"}`, want: []string{"message", `"piece"`}},
		{line: `{"log":"\n"}`, want: []string{"message", `""`}},
		{line: `{"log":"a\\\n"}`, want: []string{"message", `"a\\"`}},
		{line: `{"log":"a\\n"}`, want: []string{"message", `"a\\n"`}},
		{line: `{"log":12}`, reason: `no text under "log"`},
		{line: `{"message":"x"}`, reason: `no text under "log"`},
		{line: `{"log":"x"`, reason: "the record ends"},
		{line: `hello`, reason: "want a JSON object"},
	},
	"ndjson": {
		{
			line: `{"log":"{\"level\":\"info\",\"msg\":\"a\\\"b\",\"n\":1}\n","stream":"stderr","time":"t"}`,
			want: []string{"level", `"info"`, "message", `"a\"b"`, "n", "1", "stream", `"stderr"`, "timestamp", `"t"`},
		},
		{line: `{"log":"{\"level\":\"in","stream":"stderr"}`, reason: "a piece of a line that the container runtime cut: "},
		{line: `{"log":"not json\n","stream":"stderr"}`, reason: "in the container's log: "},
	},
}

func TestDocker(t *testing.T) {
	for inner, cases := range dockerCases {
		checkText(t, dockerOver(inner), cases)
	}
}

var criCases = map[string][]textCase{
	"plain": {
		{
			line: `2016-10-06T00:17:09.669794202Z stdout F The content of the log entry`,
			want: []string{
				"timestamp", `"2016-10-06T00:17:09.669794202Z"`, "stream", `"stdout"`, "message", `"The content of the log entry"`,
			},
		},
		{line: `T stderr P:x piece`, want: []string{"timestamp", `"T"`, "stream", `"stderr"`, "message", `"piece"`}},
		{line: `T stderr F`, want: []string{"timestamp", `"T"`, "stream", `"stderr"`, "message", `""`}},
		{line: `T stdin F x`, reason: "want"},
		{line: `T stdout X x`, reason: "want"},
		{line: `T stdout`, reason: "want"},
		{line: `T`, reason: "want"},
		{line: ``, reason: "want"},
	},
	"logfmt": {
		{
			line: `T stdout F ts=inner n=1`,
			want: []string{"timestamp", `"inner"`, "n", "1", "stream", `"stdout"`},
		},
		{line: `T stdout P n="`, reason: "cut: no closing quote"},
	},
}

func TestCRI(t *testing.T) {
	for inner, cases := range criCases {
		checkText(t, criOver(inner), cases)
	}
}

func TestWrapDoesNotAllocate(t *testing.T) {
	plan := planOf("timestamp", "stream", "message", "level", "n")
	checkNoAllocs(t, newDocker(plan, newNDJSON(plan, false)), []string{dockerCases["ndjson"][0].line})
	checkNoAllocs(t, newDocker(plan, newPlain(plan)), []string{dockerCases["plain"][0].line})
	checkNoAllocs(t, newCRI(plan, newPlain(plan)), []string{criCases["plain"][0].line})
}

func FuzzDocker(f *testing.F) {
	var seeds []string
	for _, cases := range dockerCases {
		for _, c := range cases {
			seeds = append(seeds, c.line)
		}
	}
	fuzzText(f, dockerOver("logfmt"), []string{"timestamp", "stream", "message", "n"}, seeds...)
}

func FuzzCRI(f *testing.F) {
	var seeds []string
	for _, cases := range criCases {
		for _, c := range cases {
			seeds = append(seeds, c.line)
		}
	}
	fuzzText(f, criOver("ndjson"), []string{"timestamp", "stream", "message", "n"}, seeds...)
}

func BenchmarkDocker(b *testing.B) {
	plan := planOf("timestamp", "level", "n")
	benchText(b, newDocker(plan, newNDJSON(plan, false)), []string{dockerCases["ndjson"][0].line})
}
