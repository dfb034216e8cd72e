package kafka

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// defaultPort is where brokers listen when nobody says otherwise.
const defaultPort = "9092"

// seeds returns the addresses to try, each with its port.
func (c Config) seeds() ([]string, error) {
	var seeds []string
	for _, addr := range c.brokers() {
		host, port := splitAddr(addr)
		n, err := strconv.Atoi(port)
		if at := strings.LastIndexByte(addr, '@'); strings.Contains(addr[:max(at, 0)], ":") {
			addr = "***" + addr[at:] // a user and a password
		}
		switch bad := strings.ContainsAny(host, "/ \t@[]"); {
		case bad:
			return nil, fault.Usagef("want HOST:PORT, as in kafka.example.com:9092", "address of a broker: %q", addr)
		case strings.Contains(host, ":") && !isIPv6(host):
			return nil, fault.Usagef("want HOST:PORT; as in [::1]:9092, where HOST has colons", "address of a broker: %q", addr)
		case err != nil || n < 1 || n > 65535:
			return nil, fault.Usagef("want HOST:PORT, with a port from 1 to 65535", "address of a broker: %q", addr)
		}
		seeds = append(seeds, net.JoinHostPort(host, port))
	}
	return seeds, nil
}

// splitAddr parts an address. Without a port, it is the default one.
func splitAddr(addr string) (host, port string) {
	if host, port, err := net.SplitHostPort(addr); err == nil {
		return host, port
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]"), defaultPort
}

// isIPv6 reports whether a host is an IPv6 address.
func isIPv6(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is6()
}

// names reports whether the user has given an address: host:port.
func (c Config) names(addr string) bool {
	seeds, _ := c.seeds()
	return slices.Contains(seeds, addr)
}
