package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
)

// An address is where the nodes listen.
type address struct {
	host  string // to listen on
	name  string // that clients are told
	port  int    // of the first node, 0 for any
	nodes int
}

func parseAddr(s string, nodes int) (address, error) {
	const hint = "as in :9092, localhost:9092, 0.0.0.0:9092"
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return address{}, fault.Usagef(hint, "address %q is not host:port", s)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || int(port)+nodes-1 > 65535 {
		return address{}, fault.Usagef(hint, "address %q: the port of every node is to be at most 65535", s)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	at := address{host: host, name: host, port: int(port), nodes: nodes}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if at.name, err = os.Hostname(); err != nil {
			return address{}, fmt.Errorf("address %q: the name of this machine, for clients: %w", s, err)
		}
	}
	return at, nil
}

// option tells kfake the ports, and with them the number of nodes.
func (a address) option() kfake.Opt {
	if a.port == 0 {
		return kfake.NumBrokers(a.nodes)
	}
	ports := make([]int, a.nodes)
	for i := range ports {
		ports[i] = a.port + i
	}
	return kfake.Ports(ports...)
}

// listen returns the function by which kfake listens: on our host and its
// port, behind TLS and guards.
func (a address) listen(
	conf *tls.Config, guards func(net.Conn) *guard, log *slog.Logger,
) func(_, addr string) (net.Listener, error) {
	return func(network, addr string) (net.Listener, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		var lc net.ListenConfig
		ln, err := lc.Listen(context.Background(), network, net.JoinHostPort(a.host, port))
		if err != nil {
			return nil, fault.Hint(err, "choose another address with --addr; port 0 is any free one")
		}
		_, port, err = net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return nil, errors.Join(err, ln.Close())
		}
		named := namedAddr(net.JoinHostPort(a.name, port))
		if conf != nil {
			ln = tls.NewListener(ln, conf)
		}
		return &listener{Listener: ln, addr: named, guards: guards, log: log}, nil
	}
}

// A namedAddr is the host:port that clients are told.
type namedAddr string

func (namedAddr) Network() string  { return "tcp" }
func (a namedAddr) String() string { return string(a) }

// A listener guards every connection that it accepts.
type listener struct {
	net.Listener
	addr   namedAddr
	guards func(net.Conn) *guard
	log    *slog.Logger
}

func (l *listener) Addr() net.Addr { return l.addr }

// Accept tries again after an error such as too many open files, which is said: kfake
// stops listening for good at the first one.
func (l *listener) Accept() (net.Conn, error) {
	for failed := false; ; failed = true {
		conn, err := l.Listener.Accept()
		switch {
		case err == nil && failed:
			l.log.Error("clients are let in again", "addr", l.addr)
			fallthrough
		case err == nil:
			return l.guards(conn), nil
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case !failed && errors.Is(err, syscall.EMFILE):
			l.log.Error("no client is let in: allow more open files with `ulimit -n`", "addr", l.addr, "error", err)
		case !failed:
			l.log.Error("no client is let in", "addr", l.addr, "error", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
