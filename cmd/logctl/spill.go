package main

import "github.com/logctl/logctl/pkg/stdio"

// spill returns where what operators have no room for goes.
func (p *pipeline) spill() *stdio.Spill {
	s := stdio.NewSpill("")
	p.atEnd(s.Close)
	return s
}
