package broker

import "time"

// UpkeepEvery shortens the period of the upkeep.
func (c *Config) UpkeepEvery(d time.Duration) { c.upkeep = upkeepEvery(d) }

// Reserve sets how many bytes producers leave free on the disk.
func (c *Config) Reserve(n int64) { c.reserve = n }

// Verify looks through a data directory as a start does.
func Verify(dir string) error { return (&dataDir{path: dir}).verify() }

// Stands sets how long a client may stand without taking its answer.
func (c *Config) Stands(d time.Duration) { c.stands = d }

// Readers returns how many connections fetch.
func (b *Broker) Readers() int64 { return b.readers.n.Load() }
