package expr

import (
	"net/netip"
	"unsafe"

	"github.com/logctl/logctl/pkg/record"
)

// longestAddr is the length of the longest text that is an address.
const longestAddr = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

// inNetwork compiles in_network(ip, "10.0.0.0/8"). What is no address is in none;
// an IPv4 address is also known by its form in IPv6.
func (c *compiler) inNetwork(n *node, args []code) (code, error) {
	if !args[1].isLit(Text) {
		return code{}, c.errorAt(n.args[1], `write in_network(ip, "10.0.0.0/8")`, "want a network in quotes")
	}
	network, err := netip.ParsePrefix(string(args[1].lit.Text))
	if err != nil {
		return code{}, c.errorAt(n.args[1], `as in "10.0.0.0/8" or "fe80::/10"`, "%q is no network", args[1].lit.Text)
	}
	text := args[0].asText()
	return testCode(func(b *record.Batch, i int) bool {
		t, ok := text(b, i)
		return ok && len(t) > 0 && len(t) <= longestAddr && network.Contains(addrOf(t))
	}), nil
}

// addrOf returns the address that t, which is not empty, writes down; the zero one
// where it is none.
func addrOf(t []byte) netip.Addr {
	for _, c := range t {
		if c != ':' && c != '.' && !isDigit(c) && c|0x20-'a' > 'f'-'a' {
			return netip.Addr{} // nothing is allocated for what does not look like one
		}
	}
	addr, err := netip.ParseAddr(unsafe.String(&t[0], len(t)))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
