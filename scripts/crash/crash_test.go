package main

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// TestCrash kills some runs; TEST_CRASHES says how many.
func TestCrash(t *testing.T) {
	kills := 8
	if text := os.Getenv("TEST_CRASHES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	if err := run("", uint64(time.Now().UnixNano()), limits{kills, time.Hour}, false); err != nil {
		t.Fatal(err)
	}
}
