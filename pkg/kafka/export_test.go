package kafka

import (
	"context"
	"time"
)

// Tests have less patience.
func init() { freshEvery = 500 * time.Millisecond }

// Wait waits until what was saved is acknowledged, without committing it.
func (c *Changelog) Wait(ctx context.Context) error { return c.wait(ctx) }

// Adapt has the sink decide how long batches wait, though the client was told.
func (s *Sink) Adapt() { s.adaptive = true }
