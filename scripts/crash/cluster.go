package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A cluster is three nodes of Apache Kafka.
type cluster struct {
	dir, brokers string
	down         int // the node that is dead; 0: none is
	kills        int // of nodes
}

const nodes = 3

func startCluster(dir string) (*cluster, error) {
	c := &cluster{dir: filepath.Join(dir, "kafka")}
	out, err := c.script("start", strconv.Itoa(nodes), c.dir)
	c.brokers = strings.TrimSpace(out)
	return c, err
}

// script runs the script of the cluster from the root of the repository.
func (c *cluster) script(args ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), "scripts/kafka/cluster.sh", args...).Output()
	if err != nil {
		return "", fmt.Errorf("scripts/kafka/cluster.sh %q: %w", args, err)
	}
	return string(out), nil
}

// disturb kills a node now and then, and starts it again at the next time.
func (c *cluster) disturb(rnd *rand.Rand) error {
	if rnd.IntN(4) > 0 {
		return nil
	}
	if c.down != 0 {
		return c.mend()
	}
	c.down = 1 + rnd.IntN(nodes)
	c.kills++
	_, err := c.script("kill", c.dir, strconv.Itoa(c.down))
	return err
}

// mend starts the node that is dead.
func (c *cluster) mend() error {
	if c.down == 0 {
		return nil
	}
	_, err := c.script("restart", c.dir, strconv.Itoa(c.down))
	c.down = 0
	return err
}

func (c *cluster) stop() error {
	_, err := c.script("stop", c.dir)
	return err
}
