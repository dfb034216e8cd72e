package codec_test

import (
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

func TestObjects(t *testing.T) {
	for _, tt := range []struct{ format, text, want string }{
		{"ndjson", "{\"b\":1 ,\"a\":2}\n", "{\"b\":1 ,\"a\":2}\n"},
		{"csv", "a,b\n1,\"x \"\"y\"\"\"\n,z\n", "{\"a\":1,\"b\":\"x \\\"y\\\"\"}\n{\"a\":null,\"b\":\"z\"}\n"},
		{"logfmt", "a=1 b=\"x y\"\nc\nb=2 c\n", "{\"a\":1,\"b\":\"x y\"}\n{\"b\":2,\"c\":true}\n"},
		{
			"common", "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a?b=1 HTTP/1.1\" 200 -\n",
			`{"host":null,"client":"1.2.3.4","ident":null,"user":null,"timestamp":"17/May/2015:10:05:03 +0000",` +
				`"request":"GET /a?b=1 HTTP/1.1","method":"GET","path":"/a","query":"b=1","protocol":"HTTP/1.1","status":200,"bytes":null}` + "\n",
		},
		{
			"docker",
			`{"log":"{\"a\":1,\"ts\":\"x\"}\n","stream":"stdout","time":"t1"}` + "\n" + `{"log":"{\"b\":{\"c\":\"\\\"\"}}\n","time":"t2"}` + "\n",
			`{"a":1,"ts":"x","timestamp":"t1","stream":"stdout"}` + "\n" + `{"timestamp":"t2","b":{"c":"\""}}` + "\n",
		},
		{
			"docker:plain", `{"log":"hello\n","stream":"stderr","time":"t"}` + "\n",
			`{"timestamp":"t","level":null,"message":"hello","stream":"stderr"}` + "\n",
		},
		{
			"cri", "t1 stdout F {\"a\":1}\nt2 stderr F {\"b\":2}\n",
			`{"a":1,"timestamp":"t1","stream":"stdout"}` + "\n" + `{"timestamp":"t2","stream":"stderr","b":2}` + "\n",
		},
		{
			"cri:logfmt", "t1 stdout F a=1\nt2 stderr F b=2\n",
			`{"a":1,"timestamp":"t1","stream":"stdout"}` + "\n" + `{"timestamp":"t2","stream":"stderr","b":2}` + "\n",
		},
		{"plain", "hello\n", "{\"timestamp\":null,\"level\":null,\"message\":\"hello\"}\n"},
		{`regex:(?P<k>\w)=(?P<v>\w*)`, "a=b\nc\n", "{\"k\":\"a\",\"v\":\"b\"}\n"},
	} {
		d, err := codec.New(codec.Options{Format: tt.format, Objects: true})
		if err != nil {
			t.Fatal(err)
		}
		o := &record.Origin{Modified: record.NoTime}
		b := &record.Batch{Origin: o}
		b.Data = append(b.Data, tt.text[d.Begin([]byte(tt.text), o):]...)
		d.NewParser(record.NewPlan()).Parse(b)
		e, err := codec.NewEncoder("json", codec.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(e.Append(nil, b.All())); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.format, got, tt.want)
		}
	}
}
