package main

import (
	"context"
	"errors"
	"net"
	"net/url"

	"github.com/logctl/logctl/pkg/fault"
)

// advertised returns where others reach what is served at base, a URL: at the
// address that was given, else there, and where that is every address of this
// machine, at the one from which it reaches the brokers.
func advertised(ctx context.Context, base, given string, brokers []string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if given != "" {
		if _, _, err := net.SplitHostPort(given); err != nil {
			return "", fault.Usagef("as in --advertise 10.0.0.7:8080", "--advertise %q: want HOST:PORT", given)
		}
		u.Host = given
		return u.String(), nil
	}
	ip := net.ParseIP(u.Hostname())
	if ip == nil || !ip.IsUnspecified() {
		return base, nil
	}
	for _, b := range brokers {
		conn, err := new(net.Dialer).DialContext(ctx, "udp", b) // nothing is sent
		if err != nil {
			continue
		}
		host, _, err := net.SplitHostPort(conn.LocalAddr().String())
		if errors.Join(err, conn.Close()) == nil {
			u.Host = net.JoinHostPort(host, u.Port())
			return u.String(), nil
		}
	}
	return base, nil
}
