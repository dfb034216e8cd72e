package main

import "testing"

func TestAdvertised(t *testing.T) {
	brokers := []string{"127.0.0.1:9092"}
	for _, c := range [][3]string{
		{"http://127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"https://10.0.0.7:80", "logs-1.example:8443", "https://logs-1.example:8443"},
		{"http://[::]:8080", "", "http://127.0.0.1:8080"},
		{"http://0.0.0.0:8080", "", "http://127.0.0.1:8080"},
	} {
		got, err := advertised(t.Context(), c[0], c[1], brokers)
		if err != nil || got != c[2] {
			t.Errorf("%v: %s, %v", c, got, err)
		}
	}
	if _, err := advertised(t.Context(), "http://[::]:1", "host", brokers); err == nil {
		t.Error("an address without a port is taken")
	}
}
