package kafka

import "context"

// Wait waits until what was saved is acknowledged, without committing it.
func (c *Changelog) Wait(ctx context.Context) error { return c.wait(ctx) }
