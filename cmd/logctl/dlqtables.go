package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/listing"
	"github.com/logctl/logctl/pkg/term"
)

// printStats writes what there is among the dead letters as tables for people.
func printStats(out io.Writer, s *dlq.Stats) error {
	type whole struct {
		Letters   int     `json:"letters"`
		Size      string  `json:"size"`
		Replayed  int     `json:"replayed"`
		CameBack  int     `json:"came_back"`
		Purged    int     `json:"purged"`
		Oldest    string  `json:"oldest"`
		Newest    string  `json:"newest"`
		LastHour  int     `json:"last_hour"`
		PerMinute float64 `json:"per_minute"`
	}
	err := listing.Objects(out, "table", []whole{{
		s.Letters, human.Bytes(s.Bytes), s.Replayed, s.CameBack, s.Purged, s.Oldest, s.Newest, s.LastHour, s.PerMinute,
	}})
	for _, print := range []func(io.Writer, *dlq.Stats) error{
		printClasses, printSignatures, printSources, printAges,
	} {
		if err == nil {
			err = print(out, s)
		}
	}
	if err != nil || len(s.Alerts) == 0 {
		return err
	}
	var text strings.Builder
	for _, a := range s.Alerts {
		text.WriteString("\n" + term.Sanitize(a))
	}
	_, err = fmt.Fprintln(out, text.String())
	return err
}

func printClasses(out io.Writer, s *dlq.Stats) error {
	type row struct {
		Class   string `json:"class"`
		Kind    string `json:"kind"`
		Letters int    `json:"letters"`
		Share   string `json:"share"`
		Example string `json:"example"`
	}
	var rows []row
	for _, c := range s.ByClass {
		rows = append(rows, row{c.Name, c.Kind, c.Count, percent(c.Share), c.Example})
	}
	return listing.NextTable(out, rows)
}

func printSignatures(out io.Writer, s *dlq.Stats) error {
	type row struct {
		Signature string `json:"signature"`
		Class     string `json:"class"`
		Letters   int    `json:"letters"`
		Share     string `json:"share"`
		Error     string `json:"error"`
		Example   string `json:"example"`
	}
	var rows []row
	for _, c := range s.BySignature {
		rows = append(rows, row{c.Name, c.Class, c.Count, percent(c.Share), c.Pattern, c.Example})
	}
	return listing.NextTable(out, rows)
}

func printSources(out io.Writer, s *dlq.Stats) error {
	type row struct {
		Source   string `json:"source"`
		Letters  int    `json:"letters"`
		LastHour int    `json:"last_hour"`
		Records  string `json:"records_last_hour"`
		Share    string `json:"dead_share"`
	}
	var rows []row
	for _, src := range s.BySource {
		r := row{src.Name, src.Count, src.LastHour, "unknown", "unknown"}
		if src.Records != nil {
			r.Records = strconv.FormatInt(*src.Records, 10)
		}
		if src.Rate != nil {
			r.Share = percent(*src.Rate)
		}
		rows = append(rows, r)
	}
	return listing.NextTable(out, rows)
}

func printAges(out io.Writer, s *dlq.Stats) error {
	type row struct {
		Age     string `json:"age"`
		Letters int    `json:"letters"`
		Share   string `json:"share"`
	}
	var rows []row
	for _, c := range s.ByAge {
		rows = append(rows, row{c.Name, c.Count, percent(c.Share)})
	}
	return listing.NextTable(out, rows)
}

// percent writes a share for people.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
