package broker

import "time"

// UpkeepEvery shortens the period of the upkeep.
func (c *Config) UpkeepEvery(d time.Duration) { c.upkeep = upkeepEvery(d) }
