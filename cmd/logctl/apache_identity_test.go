//go:build kafka

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/kafka"
)

// testIdentity: envelopes that are produced come back the same, byte by byte:
// values, keys, headers, times, and the order of each partition.
func testIdentity(t *testing.T, a *apache) {
	topics := map[string]string{}
	for _, codec := range append([]string{"txn"}, kafka.Codecs...) {
		topics[codec] = a.topic(t, 3)
	}
	for codec, topic := range topics {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			want := randomEnvelopes(rand.New(rand.NewPCG(7, uint64(len(codec)))), 2000)
			args := []string{"produce", "--to", "kafka:" + topic, "--envelope", "--keep-time"}
			if codec == "txn" {
				args = append(args, "--txn", topic)
			} else {
				args = append(args, "-z", codec)
			}
			a.logctl(t, strings.NewReader(want), args...)
			got := parseEnvelopes(t, a.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end", "-o", "envelope"))
			if diff := cmp.Diff(split(parseEnvelopes(t, want), placesOf(got)), split(got, placesOf(got))); diff != "" {
				t.Errorf("written and read differ (-want +got):\n%.2000s", diff)
			}
		})
	}
}

// randomEnvelopes returns records of a few keys, so that partitions hold
// several of each.
func randomEnvelopes(rng *rand.Rand, n int) string {
	// Apache Kafka removes what is older than retention.ms.
	at := time.Now().Add(-30 * time.Minute).UTC().Truncate(time.Millisecond)
	var lines strings.Builder
	for i := range n {
		key := fmt.Sprintf("key %d é", rng.IntN(20))
		line := map[string]any{
			"key": key, "time": at.Add(time.Duration(i) * time.Millisecond).Format("2006-01-02T15:04:05.000Z"),
			"headers": [][2]string{{"n", fmt.Sprint(i)}, {"", ""}, {"n", "again"}}[:rng.IntN(4)],
		}
		switch rng.IntN(4) {
		case 0:
			line["value"] = nil
		case 1:
			line["value_base64"] = base64.StdEncoding.EncodeToString(append([]byte{0xff, 0, '\n'}, key...))
		case 2:
			line["value"] = ""
		default:
			line["value"] = strings.Repeat("a \"line\"\r\nand \x00 another ", rng.IntN(200))
		}
		text, _ := json.Marshal(line) //nolint:errchkjson // of strings
		lines.Write(append(text, '\n'))
	}
	return lines.String()
}

func parseEnvelopes(t *testing.T, lines string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		all = append(all, m)
	}
	return all
}

// placesOf returns the partition of each key.
func placesOf(envelopes []map[string]any) map[any]any {
	places := map[any]any{}
	for _, e := range envelopes {
		places[e["key"]] = e["partition"]
	}
	return places
}

// split returns what envelopes carry by partition, in order.
func split(envelopes []map[string]any, places map[any]any) map[any][]any {
	parts := map[any][]any{}
	for _, e := range envelopes {
		place := places[e["key"]]
		parts[place] = append(parts[place], []any{
			e["key"], e["time"], e["headers"], e["value"], e["value_base64"],
		})
	}
	return parts
}

// testWindow: window over a topic of four partitions gives the rows that it
// gives over the file.
func testWindow(t *testing.T, a *apache) {
	const path = "../../testdata/logs/apache_access.log"
	topic := a.topic(t, 4)
	a.logctl(t, nil, "produce", "--to", "kafka:"+topic, "--key", "client", path)
	for _, by := range []string{"method", "status,method"} {
		args := []string{
			"window", "--size", "1h", "--by", by, "--agg",
			"n=count(), clients=distinct(client), errors=ratio(status >= 400), sum(bytes), avg(bytes), stddev(bytes), " +
				"min(bytes), max(bytes), p50(bytes), p99(bytes)",
		}
		file := a.logctl(t, nil, append(args, path)...)
		topic := a.logctl(t, nil, append(args, "--from", "kafka:"+topic, "--stop", "end")...)
		if len(file) == 0 {
			t.Fatal("no windows")
		}
		if diff := cmp.Diff(sortedLines(file), sortedLines(topic)); diff != "" {
			t.Errorf("--by %q: file and topic differ (-file +topic):\n%.2000s", by, diff)
		}
	}
}
