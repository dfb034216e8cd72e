package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
)

func TestConfigPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	text := "brokers: [file1, file2]\nsize: 2h\nwindow:\n  size: 3h\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name          string
		env           map[string]string
		args          []string
		brokers, size string
	}{
		{"the command's key before the general one", nil, nil, "[file1,file2]", "3h"},
		{"environment over file", map[string]string{"LOGCTL_BROKERS": "e1,e2", "LOGCTL_WINDOW_SIZE": "4h"}, nil, "[e1,e2]", "4h"},
		{"the general variable over the file's key", map[string]string{"LOGCTL_SIZE": "5h"}, nil, "[file1,file2]", "5h"},
		{"flag over environment", map[string]string{"LOGCTL_BROKERS": "e1"}, []string{"-b", "f1", "--size", "6h"}, "[f1]", "6h"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			root := newRoot()
			c, _, err := root.Find([]string{"window"})
			if err != nil {
				t.Fatal(err)
			}
			c.RunE = func(cmd *cobra.Command, _ []string) error {
				if got := cmd.Flag("brokers").Value.String(); got != tt.brokers {
					t.Errorf("brokers = %s, want %s", got, tt.brokers)
				}
				if got := cmd.Flag("size").Value.String(); got != tt.size {
					t.Errorf("size = %s, want %s", got, tt.size)
				}
				return nil
			}
			root.SetArgs(append([]string{"window", "--config", file}, tt.args...))
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
