package main

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
)

// A certificate is what a server shows to its clients, in files.
type certificate struct {
	flag      string // of what it is for: --FLAG-cert and --FLAG-key name the files
	cert, key string
}

// config returns how to speak TLS; nil where no certificate is given.
func (c certificate) config() (*tls.Config, error) {
	if (c.cert == "") != (c.key == "") {
		return nil, fault.Usagef(fmt.Sprintf("give both --%s-cert and --%[1]s-key", c.flag),
			"a certificate needs its key, and a key its certificate")
	}
	if c.cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fault.Usagef(fmt.Sprintf("--%s-cert and --%[1]s-key take files in PEM", c.flag),
			"reading the TLS certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// warn says that clients will refuse a certificate that is not valid now. Some are told not
// to look, and the clock may be wrong: it is no error.
func (c certificate) warn(cmd *cobra.Command, conf *tls.Config) {
	if conf == nil {
		return
	}
	leaf, now := conf.Certificates[0].Leaf, time.Now()
	switch {
	case now.After(leaf.NotAfter):
		note(cmd, "warning: the certificate in %q was valid until %s: clients will refuse it", c.cert,
			leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		note(cmd, "warning: the certificate in %q is valid from %s on: clients will refuse it", c.cert,
			leaf.NotBefore.Format(time.RFC3339))
	}
}
