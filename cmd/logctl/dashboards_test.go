package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`logctl_[a-z_]+[a-z]`)

// Dashboards and alerts ask for metrics that there are: their names stand in the
// source.
func TestDashboardsAskForMetricsThatThereAre(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../../pkg/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	found := 0
	for _, pattern := range []string{"../../scripts/prometheus/*", "../../scripts/grafana/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range metricName.FindAllString(string(text), -1) {
				found++
				// A prefix that a package gives all its metrics stands apart from the rest.
				rest := strings.TrimPrefix(name, "logctl_")
				_, short, _ := strings.Cut(rest, "_")
				if !strings.Contains(source.String(), `"`+name+`"`) && !strings.Contains(source.String(), `"`+rest+`"`) &&
					!strings.Contains(source.String(), `"`+short+`"`) {
					t.Errorf("%s asks for %s, which no part of logctl tells", filepath.Base(f), name)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no dashboard, or one that asks for nothing")
	}
}
