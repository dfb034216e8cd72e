package generate

import (
	"fmt"
	"math"
)

// A host is a machine whose figures are reported in turn.
type host struct {
	name    string
	base    float64 // its usual load in per cent
	until   uint64  // profile anomalies: the record that ends the present anomaly
	surplus float64 // what the anomaly adds
}

const machines = 20

// fleet returns the machines, made on first use.
func (g *Generator) fleet() []host {
	if g.hosts == nil {
		for i := range machines {
			g.hosts = append(g.hosts, host{name: fmt.Sprintf("web-%02d", i), base: 20 + 40*g.rnd.Float64()})
		}
	}
	return g.hosts
}

// load is a machine's load at the time of the record: its base, a daily wave
// with its peak in the afternoon, and noise.
func (g *Generator) load(h *host) float64 {
	day := float64(g.at%86_400e9) / 86_400e9
	wave := 15 * math.Sin(2*math.Pi*(day-0.375))
	return min(max(h.base+wave+3*g.rnd.NormFloat64(), 0), 100)
}

func (g *Generator) metrics(dst []byte) []byte {
	h := &g.fleet()[g.seq%machines]
	cpu := g.load(h)
	dst = text(dst, "host", h.name)
	dst = decimal(dst, "cpu_percent", cpu)
	dst = decimal(dst, "memory_percent", min(35+cpu/2+g.rnd.NormFloat64(), 100))
	dst = decimal(dst, "disk_percent", 60+math.Mod(float64(g.seq)/1e4, 35))
	dst = integer(dst, "requests", int(cpu*40)+g.rnd.IntN(50))
	return integer(dst, "errors", g.rnd.IntN(3))
}

// anomalies are a latency and an error count with spikes and level shifts in
// one record of a thousand, each labelled.
func (g *Generator) anomalies(dst []byte) []byte {
	h := &g.fleet()[g.seq%machines]
	if g.seq >= h.until && g.rnd.IntN(1000) == 0 {
		h.until = g.seq + machines*uint64(1+g.rnd.IntN(20))
		h.surplus = 100 + 400*g.rnd.Float64()
	}
	odd := g.seq < h.until
	latency, errs := g.load(h)+20, g.rnd.IntN(3)
	if odd {
		latency += h.surplus
		errs += g.rnd.IntN(30)
	}
	dst = text(dst, "service", services[int(g.seq%machines)%len(services)])
	dst = text(dst, "host", h.name)
	dst = decimal(dst, "latency_ms", latency)
	dst = integer(dst, "errors", errs)
	if odd {
		return append(dst, `,"anomaly":true`...)
	}
	return append(dst, `,"anomaly":false`...)
}

// A shopper is a user within a session.
type shopper struct {
	user  int
	step  int // of the funnel
	views int
}

// funnel are the steps to a purchase and the chance of the next one.
var funnel = []struct {
	event, page string
	onward      float64
}{
	{"VIEW", "/product/", 0.25}, {"ADD_TO_CART", "/cart", 0.5}, {"CHECKOUT", "/checkout", 0.7}, {"PURCHASE", "/thanks", 0},
}

const activeShoppers = 200

// users are the clicks of shoppers: each session views, and some put into the
// cart, check out and buy. Two hundred sessions are active at a time.
func (g *Generator) users(dst []byte) []byte {
	if len(g.shoppers) < activeShoppers {
		g.shoppers = append(g.shoppers, shopper{user: g.rnd.IntN(50_000)})
	}
	s := &g.shoppers[g.rnd.IntN(len(g.shoppers))]
	at := funnel[s.step]
	page := at.page
	if s.step == 0 {
		page = fmt.Sprintf("/product/%d", g.rnd.IntN(500))
	}
	dst = text(dst, "user", fmt.Sprintf("u%d", s.user))
	dst = text(dst, "eventType", at.event)
	dst = text(dst, "page", page)
	dst = text(dst, "region", regions[s.user%len(regions)])
	dst = text(dst, "device", []string{"mobile", "desktop", "tablet"}[s.user%3])
	if at.event == "PURCHASE" {
		dst = decimal(dst, "amount", 5+200*g.rnd.Float64())
	}
	s.views++
	switch {
	case g.rnd.Float64() < at.onward:
		s.step++
	case s.step > 0 || s.views > 3+g.rnd.IntN(20):
		*s = shopper{user: g.rnd.IntN(50_000)} // the session ends; another begins
	}
	return dst
}
